using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Cluster.Tests.Torture;

/// <summary>
/// Contenders over a silo and its database, of which one or the other is killed at random moments. Half of their leases are so short
/// that they run out while it is away, half so long that they are held when it is back.
/// </summary>
internal sealed class TortureRun : IAsyncDisposable
{
    private static readonly TimeSpan ShortTtl = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongTtl = LeaseCluster.LongestTtl;
    private static readonly string[] ShortNames = [.. Enumerable.Range(0, 4).Select(number => $"torture/short/{number}")];
    private static readonly string[] LongNames = [.. Enumerable.Range(0, 8).Select(number => $"torture/long/{number}")];

    private readonly CancellationTokenSource _stop = new();
    private readonly LeaseCluster _cluster;
    private readonly Ledger _ledger = new();
    private readonly Audit _audit;
    private readonly Random _random;
    private readonly Task _contenders;
    private IReadOnlyList<string> _faults = [];

    public TortureRun(LeaseCluster cluster, int seed)
    {
        (_cluster, _random) = (cluster, new Random(seed));
        _audit = new Audit(_ledger, [.. ShortNames, .. LongNames]);
        _contenders = Task.WhenAll(Enumerable.Range(0, 12).Select(number => Task.Run(() =>
            new Contender(number, _ledger, _ => cluster.Silos[0].Leases)
            {
                Pause = TimeSpan.FromMilliseconds(100), LongestWait = TimeSpan.FromSeconds(1), Transfers = true, Repeats = true,
                Work = WorkAsync,
            }.RunAsync(number % 2 == 0 ? ShortNames : LongNames, number % 2 == 0 ? ShortTtl : LongTtl, _stop.Token))));
    }

    public int SiloKills { get; private set; }

    public int DatabaseKills { get; private set; }

    /// <summary>How often the silo ended without being killed, and was started again as a supervisor would.</summary>
    public int Ended { get; private set; }

    /// <summary>What was lost or contradicts itself up to now.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public override string ToString() =>
        $"{SiloKills} kills of the silo, {DatabaseKills} of PostgreSQL; the silo ended {Ended} times by itself. {_ledger.Tenures.Count} "
        + $"grants were told in {_ledger.Now}, {_audit.Running} times one was found to be held after a kill. {_faults.Count} faults."
        + string.Concat(_faults.Take(20).Select(fault => Environment.NewLine + fault));

    /// <summary>Kills the silo in the middle of whatever it does, starts it again, and compares.</summary>
    public async Task KillSiloAsync()
    {
        await ProceedAsync();
        await _cluster.Silos[0].KillAsync();
        SiloKills++;
        await _cluster.MakeWholeAsync();
        await CompareAsync();
    }

    /// <summary>Kills the database, then maybe the silo while that is away; starts what is down again, and compares.</summary>
    public async Task KillDatabaseAsync(bool withSilo)
    {
        await ProceedAsync();
        if (_random.Next(2) == 0) await _cluster.Postgres.StopAsync("immediate");
        else await _cluster.Postgres.KillAsync();
        DatabaseKills++;
        if (withSilo)
        {
            await _cluster.Silos[0].KillAsync();
            SiloKills++;
        }

        await _cluster.Postgres.StartAgainAsync();
        await _cluster.MakeWholeAsync();
        await CompareAsync();
    }

    /// <summary>Ends the load.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await _contenders.WaitAsync(Eventually.WaitTimeout);
        await CompareAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_contenders, LoadRun.ForAsync(Eventually.WaitTimeout));
        _stop.Dispose();
    }

    private async Task CompareAsync() => _faults = await _audit.CompareAsync(_cluster.Silos[0].Leases);

    // Until the load has got somewhere, and a random while longer.
    private async Task ProceedAsync()
    {
        var silo = _cluster.Silos[0];
        var before = _ledger.Tenures.Count;
        await Eventually.TrueAsync(
            async () =>
            {
                if (_contenders.IsFaulted) await _contenders;
                if (silo.EndedByItself)
                {
                    Ended++;
                    await silo.StartAsync();
                }

                return _ledger.Tenures.Count >= before + 6;
            },
            () => $"The load stands still. {silo.Process.Error}");
        await LoadRun.ForAsync(TimeSpan.FromMilliseconds(_random.Next(600)));
    }

    private async Task<bool> WorkAsync(Ledger.Tenure tenure, Random random)
    {
        await LoadRun.ForAsync(TimeSpan.FromMilliseconds(random.Next(100)));
        return true;
    }
}
