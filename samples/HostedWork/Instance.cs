using OrleansLeases.Client;
using OrleansLeases.Hosting;

namespace HostedWork;

/// <summary>An instance of the application: an ordinary host, with a service that leads and a job on a schedule.</summary>
internal static class Instance
{
    public const string Verb = "instance";
    public const string Tick = "sends the bills of ";

    public static async Task RunAsync(string server)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLeasesClient(leases => leases.Servers.Add(server));
        var lease = new LeaseOptions { Ttl = TimeSpan.FromSeconds(2) };
        builder.Services.AddLeaderService<Exporter>(options => options.Lease = lease);
        builder.Services.AddScheduledJob("bills", "* * * * * *", SendBillsAsync, options => options.Lease = lease);
        using var host = builder.Build();
        await host.StartAsync();
        // Asked to stop by a line, and with the end of whoever started it.
        await Console.In.ReadLineAsync();
        await host.StopAsync();
    }

    private static Task SendBillsAsync(ScheduledRun run, CancellationToken stop)
    {
        Console.WriteLine($"{Tick}{run.Tick:HH:mm:ss}");
        return Task.CompletedTask;
    }
}

/// <summary>Runs on one instance at a time, whichever that is.</summary>
internal sealed class Exporter(LeaderTerm term) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Console.WriteLine($"exports with token {term.Token}");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stoppingToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Console.WriteLine("exports no more");
    }
}
