using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Grains;

namespace OrleansLeases.Cluster.Tests;

/// <summary>A caller who gives up on a silo that was stopped: it hears that at once, and nothing stays granted to it.</summary>
[Collection(SharedCluster.Name)]
public sealed class CancellationTests(SharedCluster shared)
{
    // Far less than Orleans waits for a response, which is 30 s, and than the service does, which is 15 s.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancelled_WhileTheSiloIsStopped_EndsAtOnceAndHoldsNothing(bool comesBack)
    {
        var cluster = await shared.UnsuspectingAsync();
        var (living, stopped) = (cluster.Silos[0], cluster.Silos[1]);
        using var host = await ConnectAsync(living);
        var silos = new Locator(host.Services.GetRequiredService<IGrainFactory>(), stopped);
        var callers = new List<Caller>
        {
            await Caller.PrepareAsync("orleans", host.Services.GetRequiredService<ILeaseService>(), silos),
            await Caller.PrepareAsync("http", living.Patiently, silos),
        };

        stopped.Process.Freeze();
        foreach (var caller in callers) caller.Ask();
        // The gateway takes up what comes first first.
        Assert.Equal(HttpStatusCode.OK, (await living.ReadyAsync()).Status);
        foreach (var caller in callers) await caller.AssertEndsAtOnceAsync();

        if (comesBack)
        {
            stopped.Process.Thaw();
            // A call that an Orleans client has sent reaches the grain, though its caller has given it up.
            await Eventually.TrueAsync(
                async () => (await living.Patiently.HistoryAsync(callers[0].Free)).Value.Events.Count > 0, () => "Nothing was granted.");
            foreach (var caller in callers) await caller.AssertIsGivenBackAsync(living.Patiently);
        }
        else
        {
            await stopped.KillAsync();
            await stopped.StartAsync();
        }

        foreach (var caller in callers) await caller.AssertGrantableAsync(living.Patiently);
    }

    private static async Task<IHost> ConnectAsync(SiloProcess silo)
    {
        var host = new HostBuilder().UseOrleansClient(client => client
            .UseStaticClustering(new IPEndPoint(IPAddress.Loopback, silo.GatewayPort))
            .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("leases", "leases"))
            .AddLeases()).Build();
        await host.StartAsync();
        return host;
    }

    /// <summary>Finds names whose grains live on a silo.</summary>
    private sealed class Locator(IGrainFactory grains, SiloProcess silo)
    {
        private readonly IManagementGrain _management = grains.GetGrain<IManagementGrain>(0);

        public async Task<string> FindNameAsync(string prefix)
        {
            // Orleans places each grain somewhere else.
            for (var number = 0; ; number++)
            {
                var name = $"{prefix}/{number}";
                await grains.GetLease(name).GetAsync(new GetLeaseRequest { Resource = name });
                var at = await _management.GetActivationAddress((IAddressable)grains.GetLease(name));
                if (at?.Endpoint.Port == silo.SiloPort) return name;
                Assert.True(number < 1000, "No grain lives on the silo.");
            }
        }
    }

    /// <summary>One way to the service, with a lease of a name for which somebody waits, and a name that is free.</summary>
    private sealed class Caller
    {
        private const string Gone = "gone";

        private readonly ILeaseService _leases;
        private readonly LeaseGrant _held;
        private readonly CancellationTokenSource _gone = new();
        private readonly Dictionary<string, Task> _calls = [];

        private Caller(ILeaseService leases, LeaseGrant held, string free) => (_leases, _held, Free) = (leases, held, free);

        /// <summary>The name that was free.</summary>
        public string Free { get; }

        public static async Task<Caller> PrepareAsync(string name, ILeaseService leases, Locator silos)
        {
            name = $"cancelled/{name}/{Guid.NewGuid():N}";
            var held = (await leases.AcquireAsync(Of(await silos.FindNameAsync($"{name}/held")) with { Owner = "holder" })).Value;
            var caller = new Caller(leases, held, await silos.FindNameAsync($"{name}/free"));
            caller._calls["wait"] = leases.AcquireAsync(
                Of(held.Resource) with { Wait = TimeSpan.FromSeconds(25) }, caller._gone.Token).AsTask();
            await Eventually.TrueAsync(
                async () => (await leases.GetAsync(new GetLeaseRequest { Resource = held.Resource })).Value.Waiters == 1,
                () => "Nobody waits.");
            return caller;
        }

        public void Ask()
        {
            var gone = _gone.Token;
            _calls["acquire"] = _leases.AcquireAsync(Of(Free), gone).AsTask();
            _calls["renew"] = _leases.RenewAsync(
                new RenewRequest { Resource = _held.Resource, Owner = _held.Owner, Token = _held.Token }, gone).AsTask();
            _calls["get"] = _leases.GetAsync(new GetLeaseRequest { Resource = _held.Resource }, gone).AsTask();
            _calls["watch"] = _leases.WatchAsync(new WatchRequest { Resource = _held.Resource }, gone).AsTask();
            _calls["release"] = _leases.ReleaseAsync(Release(), gone).AsTask();
        }

        public async Task AssertEndsAtOnceAsync()
        {
            foreach (var (verb, call) in _calls) Assert.False(call.IsCompleted, verb);
            await _gone.CancelAsync();
            var ends = Task.WhenAll(_calls.Values.Select(call => Assert.ThrowsAnyAsync<OperationCanceledException>(() => call)));
            await ends.WaitAsync(AtOnce, TimeProvider.System);
        }

        /// <summary>The silo has the calls by now, and has nobody left to answer.</summary>
        public async Task AssertIsGivenBackAsync(ILeaseService leases)
        {
            // Where the gateway had not passed the release on by then.
            await leases.ReleaseAsync(Release());
            foreach (var resource in (string[])[_held.Resource, Free])
            {
                await Eventually.TrueAsync(
                    async () => (await leases.GetAsync(new GetLeaseRequest { Resource = resource })).Value is
                        { State: LeaseStatus.Free, Waiters: 0 },
                    () => $"{resource} is not free.");
                var history = (await leases.HistoryAsync(resource)).Value.Events;
                Assert.DoesNotContain(history, change => change is { Kind: LeaseEventKind.Expired, Owner: Gone });
            }
        }

        public Task AssertGrantableAsync(ILeaseService leases) => Eventually.TrueAsync(
            async () => (await leases.AcquireAsync(Of(Free) with { Owner = "heir" })).Refusal is null,
            () => $"{Free} is not grantable.");

        private static AcquireRequest Of(string resource) => new()
        {
            Resource = resource, Owner = Gone, Ttl = LeaseCluster.LongestTtl,
        };

        private ReleaseRequest Release() => new() { Resource = _held.Resource, Owner = _held.Owner, Token = _held.Token };
    }
}
