using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Telemetry;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>An engine whose metrics a test sees, and what happened to it before.</summary>
internal sealed class MeteredEngine : IAsyncDisposable
{
    private readonly TestFolder _folder = new();

    public MeteredEngine() => Start(new MemoryRecordStore());

    public ManualTimeProvider Time { get; } = new();

    public Meters Meters { get; } = new();

    public TroubledStore Store { get; private set; } = null!;

    public EmbeddedLeases Leases { get; private set; } = null!;

    /// <summary>What the last grant was.</summary>
    public LeaseGrant Grant { get; private set; } = null!;

    /// <summary>What waits in the queue.</summary>
    public Task<LeaseResult<LeaseGrant>> Waiting { get; private set; } = null!;

    public CancellationTokenSource Leaves { get; } = new();

    /// <summary>Starts anew on a folder.</summary>
    public async Task StartOnFolderAsync()
    {
        await Leases.DisposeAsync();
        Start(SqliteStore.Open(_folder.Path));
    }

    public async Task GrantAsync(string resource = R) => Grant = await Leases.GrantAsync(By("alice", resource));

    /// <summary>Has bob stand in the queue.</summary>
    public async Task WaitAsync()
    {
        Waiting = Leases.AcquireAsync(By("bob") with { Wait = Seconds(20) }, Leaves.Token).AsTask();
        await UntilAsync(() => Task.FromResult(Meters.Totals()["leases.queue.waiters"] == 1));
    }

    public ILeaseService Caller(LeaseRights rights, params QuotaRule[] quotas)
    {
        var all = new AccessRights("ci", [new() { Prefix = "jobs", Rights = rights }], quotas);
        return Leases.For(new("ci", () => all));
    }

    /// <summary>What has moved: <c>series +by</c>.</summary>
    public List<string> MovedSince(Dictionary<string, double> before) =>
    [
        .. (from series in Meters.Totals()
           let moved = series.Value - before.GetValueOrDefault(series.Key)
           where moved != 0
           let line = $"{series.Key} {moved:+0;-0}"
           select line).Order(StringComparer.Ordinal),
    ];

    /// <summary>Has an event happen, until its metrics have moved.</summary>
    /// <returns>What has moved.</returns>
    public async Task<List<string>> RunAsync(MeteredEvent metered)
    {
        await metered.Before(this);
        var before = Meters.Totals();
        await metered.Event(this);
        await UntilAsync(() => Task.FromResult(MovedSince(before).Count >= metered.Moves.Length));
        return MovedSince(before);
    }

    public async ValueTask DisposeAsync()
    {
        await Leases.DisposeAsync();
        Meters.Dispose();
        Leaves.Dispose();
        _folder.Dispose();
    }

    private void Start(IRecordStore store)
    {
        Store = new TroubledStore(store);
        Leases = Engines.Over(Store.Behind is SqliteStore ? store : Store, Time, new() { MeterFactory = Meters });
    }
}
