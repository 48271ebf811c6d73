using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansLeases.Client;
using OrleansLeases.Embedded;

namespace OrleansLeases.Hosting.Tests;

/// <summary>The examples of docs/hosting.md.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public async Task Service_LeadsAndHasItsToken()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var archive = new Archive();
        builder.Services.AddSingleton(archive);

        // README: A service that leads
        builder.Services.AddLeasesClient(leases => leases.Servers.Add("http://leases-1:7400"));
        builder.Services.AddLeaderService<InvoiceExporter>();

        // README: end
        await using var service = EmbeddedLeases.InMemory();
        builder.Services.AddSingleton<ILeaseService>(service);
        using var host = builder.Build();
        await host.StartAsync();
        var first = await archive.First.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await host.StopAsync();
        var leader = await service.GetAsync(new() { Resource = "leaders/OrleansLeases.Hosting.Tests.InvoiceExporter" });
        Assert.Equal(("invoices", leader.Value.LastToken), first);
        Assert.Equal(LeaseStatus.Free, leader.Value.State);
    }

    [Fact]
    public void Job_HasItsOptions()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        // README: A job on a schedule
        builder.Services.AddScheduledJob("nightly", "0 3 * * *", (run, stop) => SendInvoicesAsync(run.Tick, run.Token, stop), options =>
        {
            options.TimeZone = "Europe/Berlin";
            options.MissedTicks = MissedTicks.Once;
            options.TimeLimit = TimeSpan.FromHours(2);
        });

        // README: end
        using var host = builder.Build();
        var options = host.Services.GetRequiredService<IOptionsMonitor<ScheduledJobOptions>>().Get("nightly");
        Assert.Equal(("0 3 * * *", "jobs/nightly"), (options.Schedule, options.Resource));
        Assert.Empty(options.Faults());
    }

    private static Task SendInvoicesAsync(DateTimeOffset tick, long token, CancellationToken stop) => Task.CompletedTask;
}

// README: A service with its term
public sealed class InvoiceExporter(LeaderTerm term, Archive archive) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await archive.AppendAsync("invoices", term.Token, stoppingToken);
            await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System, stoppingToken);
        }
    }
}

// README: end
/// <summary>Refuses lower tokens than it has seen.</summary>
public sealed class Archive
{
    internal TaskCompletionSource<(string Name, long Token)> First { get; } = new();

    internal Task AppendAsync(string name, long token, CancellationToken stop)
    {
        First.TrySetResult((name, token));
        return Task.CompletedTask;
    }
}
