using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>A client and its service on one clock that only the test moves, with a network between them.</summary>
internal sealed class HandleFixture : IAsyncDisposable
{
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan LongTtl = TimeSpan.FromHours(6);

    // What a client that renews in time never gets to see: it looks at its clock as often.
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    // A test that has no use for a handle means the lease to be held all the same.
    private readonly List<LeaseHandle> _kept = [];

    public HandleFixture(LeaseLimits? limits = null, LeaseClientOptions? options = null)
    {
        Service = EmbeddedLeases.InMemory(new() { Limits = limits ?? new() }, Time);
        Network = new(Service);
        Client = new(Network, options ?? new() { Owner = "ann" }, Time);
    }

    public ManualTimeProvider Time { get; } = new();

    public EmbeddedLeases Service { get; }

    public Network Network { get; }

    public LeaseClient Client { get; }

    public async Task<LeaseHandle> AcquireAsync(string resource = "r", TimeSpan? ttl = null)
    {
        var lease = await Client.TryAcquireAsync(resource, options: new() { Ttl = ttl ?? Ttl });
        Assert.NotNull(lease);
        _kept.Add(lease);
        return lease;
    }

    /// <summary>Starts an acquire whose call, and then whose answer, waits on the way.</summary>
    public Task<LeaseHandle?> StartAcquire(TimeSpan wait = default, TimeSpan? ttl = null, CancellationToken cancellationToken = default) =>
        Client.TryAcquireAsync("r", wait, new() { Ttl = ttl ?? Ttl }, cancellationToken).AsTask();

    /// <summary>Moves the clock, and lets the client do in time what it does by then.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= Step)
        {
            Time.Advance(left < Step ? left : Step);
            await SettleAsync();
        }
    }

    /// <summary>Moves the clock until something is done that may wait for it several times. Leases in its way should be long.</summary>
    public Task AdvanceUntilAsync(Task done) => Time.AdvanceUntilAsync(() => done.IsCompleted, Step);

    /// <summary>Waits until every renewal that was answered has been taken in.</summary>
    public Task SettleAsync() => Eventually.TrueAsync(() => Client.RenewalsUnderWay == Network.OpenCalls("renew"));

    /// <summary>What the service knows of a resource.</summary>
    public async Task<LeaseInfo> LookAsync(string resource = "r") => (await Service.GetAsync(new() { Resource = resource })).Value;

    public async ValueTask DisposeAsync()
    {
        Network.FateOf = _ => Fate.Passes;
        await Service.DisposeAsync();
        GC.KeepAlive(_kept);
    }
}
