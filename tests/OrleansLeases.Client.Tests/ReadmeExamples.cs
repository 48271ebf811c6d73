using Medallion.Threading;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansLeases.Client.Recipes;
using OrleansLeases.DistributedLocks;
using OrleansLeases.Embedded;

namespace OrleansLeases.Client.Tests;

/// <summary>The examples of README.md and docs/dotnet.md for the client library.</summary>
public sealed class ReadmeExamples
{
    private readonly List<string> _done = [];

    [Fact]
    public async Task FirstLease_ShipsUnderItsToken()
    {
        // README: A first lease
        await using var service = EmbeddedLeases.InMemory(); // or new HttpLeaseService(http), or your Orleans application's
        await using var leases = new LeaseClient(service);

        await using (var lease = await leases.AcquireAsync("orders/42"))
        {
            await ShipAsync("orders/42", lease.Token, lease.LostToken);
        }

        // README: end
        Assert.Equal(["shipped orders/42"], _done);
        Assert.Equal(LeaseStatus.Free, (await service.GetAsync(new() { Resource = "orders/42" })).Value.State);
    }

    [Fact]
    public async Task DependencyInjection_GivesALeaseClient()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        // README: Dependency injection
        builder.Services.AddLeasesClient(leases =>
        {
            leases.Servers.Add("http://leases-1:7400");
            leases.Servers.Add("http://leases-2:7400");
        });

        // README: end
        using var host = builder.Build();
        await host.StartAsync();
        Assert.Equal(2, host.Services.GetRequiredService<IOptions<LeaseHttpOptions>>().Value.Servers.Count);
        Assert.IsType<HttpLeaseService>(host.Services.GetRequiredService<LeaseClient>().Service);
    }

    [Fact]
    public void Connection_IsFoundByItsName()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:leases", "http://leases-1:7400")]);

        // README: A connection by its name
        builder.AddLeasesClient("leases");

        // README: end
        using var host = builder.Build();
        Assert.Equal(["http://leases-1:7400"], host.Services.GetRequiredService<IOptions<LeaseHttpOptions>>().Value.Servers);
    }

    [Fact]
    public void Recipes_AreRegisteredByTheirInterfaces()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLeasesClient(leases => leases.Servers.Add("http://leases-1:7400"));

        // README: Recipes by their interfaces
        builder.Services.AddSingleton<ICounter>(
            services => new Counter(services.GetRequiredService<LeaseClient>(), "invoices/sent"));
        builder.Services.AddSingleton<Func<string, ITaskClaim>>(
            services => task => new TaskClaim(services.GetRequiredService<LeaseClient>(), task));

        // README: end
        using var host = builder.Build();
        Assert.IsType<Counter>(host.Services.GetRequiredService<ICounter>());
        Assert.IsType<TaskClaim>(host.Services.GetRequiredService<Func<string, ITaskClaim>>()("invoices/2030-01"));
    }

    [Fact]
    public async Task Recipes_DoWhatTheySay()
    {
        await using var service = EmbeddedLeases.InMemory();
        await using var leases = new LeaseClient(service);
        for (var again = 0; again < 2; again++)
        {
            // README: Recipes
            var report = new DistributedLock(leases, "jobs/report");
            await report.RunAsync((lease, stop) => WriteReportAsync(lease.Token, stop));

            await using (var both = await leases.AcquireAllAsync(["accounts/7", "accounts/3"]))
            {
                await TransferAsync(both["accounts/7"].Token, both["accounts/3"].Token, both.LostToken);
            }

            var invoices = new TaskClaim(leases, "invoices/2030-01");
            if (await invoices.RunAsync((lease, stop) => SendInvoicesAsync(lease.Token, stop)) == TaskOutcome.Done)
                await new Counter(leases, "invoices/sent").AddAsync(requestId: "invoices/2030-01");

            var prices = await new CacheFill(leases, "prices/2030-01").GetOrFillAsync(stop => ReadPricesAsync(stop));

            // README: end
            Assert.Equal("prices", prices);
        }

        Assert.Equal(["report", "transfer", "invoices", "prices", "report", "transfer"], _done);
        Assert.Equal(1, await new Counter(leases, "invoices/sent").ReadAsync());
    }

    [Fact]
    public async Task Services_HaveLocksOfDistributedLock()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        // README: Locks of DistributedLock by dependency injection
        builder.Services.AddLeasesClient(leases => leases.Servers.Add("http://leases-1:7400"));
        builder.Services.AddLeasesDistributedLocks();

        // README: end
        await using var service = EmbeddedLeases.InMemory();
        builder.Services.AddSingleton<ILeaseService>(service);
        using var host = builder.Build();
        var (locks, leases) =
            (host.Services.GetRequiredService<IDistributedLockProvider>(), host.Services.GetRequiredService<LeaseClient>());

        // README: Locks of DistributedLock
        await using (await locks.AcquireLockAsync("jobs/report", TimeSpan.FromMinutes(1)))
        {
            await WriteReportAsync();
        }

        var exports = new LeaseDistributedSynchronizationProvider(leases, new() { Prefix = "exports" });
        await using (var handle = await exports.CreateLock("2030-01").AcquireAsync())
        {
            await ExportAsync(handle.Token, handle.HandleLostToken);
        }

        // README: end
        Assert.Equal(["report", "export"], _done);
        Assert.True((await service.GetAsync(new() { Resource = "exports/2030-01" })).Value.LastToken > 0);
    }

    private Task ShipAsync(string order, long token, CancellationToken stop) => DoAsync($"shipped {order}", token, stop);

    private Task WriteReportAsync() => DoAsync("report", 1, CancellationToken.None);

    private Task ExportAsync(long token, CancellationToken stop) => DoAsync("export", token, stop);

    private Task WriteReportAsync(long token, CancellationToken stop) => DoAsync("report", token, stop);

    private Task TransferAsync(long from, long to, CancellationToken stop) => DoAsync("transfer", Math.Min(from, to), stop);

    private Task SendInvoicesAsync(long token, CancellationToken stop) => DoAsync("invoices", token, stop);

    private async Task<string> ReadPricesAsync(CancellationToken stop)
    {
        await DoAsync("prices", 1, stop);
        return "prices";
    }

    private Task DoAsync(string what, long token, CancellationToken stop)
    {
        Assert.True(token > 0);
        stop.ThrowIfCancellationRequested();
        _done.Add(what);
        return Task.CompletedTask;
    }
}
