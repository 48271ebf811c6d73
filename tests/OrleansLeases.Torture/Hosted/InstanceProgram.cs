using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Client;
using OrleansLeases.Hosting;

namespace OrleansLeases.Torture.Hosted;

/// <summary>
/// An instance of an application in a process of its own: a host with a service that leads, and jobs on a schedule. It says what it
/// starts, and when it sees that its lease as the leader is valid. It stops with SIGTERM, and ends with its standard input.
/// </summary>
internal static class InstanceProgram
{
    /// <summary>The first argument of the program, which makes it an instance.</summary>
    public const string Word = "instance";

    public const string Leader = "leaders/torture";
    public const string Ready = "ready";
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(1.5);

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(5);

    public static string ResourceOf(int job) => string.Create(CultureInfo.InvariantCulture, $"jobs/torture/{job}");

    /// <param name="arguments">The address of the server, its name, how many jobs it has, and each how many seconds they are due.</param>
    public static async Task RunAsync(IReadOnlyList<string> arguments)
    {
        _ = Task.Run(() =>
        {
            Console.In.ReadToEnd();
            Environment.Exit(0);
        });
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLeasesClient(leases =>
        {
            leases.Servers.Add(arguments[0]);
            leases.Client = new() { Owner = arguments[1] };
        });
        builder.Services.AddLeaderService<LeadingService>(options =>
        {
            options.Resource = Leader;
            options.Lease = new() { Ttl = Ttl };
            options.LongestPause = TimeSpan.FromSeconds(1);
        });
        for (var job = 0; job < int.Parse(arguments[2], CultureInfo.InvariantCulture); job++)
        {
            builder.Services.AddScheduledJob(
                string.Create(CultureInfo.InvariantCulture, $"torture/{job}"), $"*/{arguments[3]} * * * * *", WorkAsync,
                options => options.Lease = new() { Ttl = Ttl });
        }

        using var host = builder.Build();
        using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM,
            context =>
            {
                context.Cancel = true;
                host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            });
        await host.StartAsync();
        Console.WriteLine(Ready);
        await host.WaitForShutdownAsync();
    }

    private static async Task WorkAsync(ScheduledRun run, CancellationToken stop)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"start {run.Name} {run.Tick.ToUnixTimeSeconds()} {run.Token}"));
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(300)), TimeProvider.System, stop);
    }

    /// <summary>Says, again and again, that it leads.</summary>
    private sealed class LeadingService(LeaderTerm term) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            while (true)
            {
                // Read before it is looked at: what is valid afterwards was valid then.
                var now = TimeProvider.System.GetTimestamp();
                if (term.Lease.IsValid()) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"lead {term.Token} {now}"));
                await Task.Delay(Beat, TimeProvider.System, stoppingToken);
            }
        }
    }
}
