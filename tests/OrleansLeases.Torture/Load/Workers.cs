using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Recipes;
using OrleansLeases.Torture.Rounds;
using OrleansLeases.Torture.Worlds;

namespace OrleansLeases.Torture.Load;

/// <summary>
/// Clients in processes of their own, one lock among them, which are stopped and killed at their work: who takes over does so by
/// itself, and who wakes up does no harm.
/// </summary>
internal sealed class Workers : IAsyncDisposable
{
    private const string Name = "workers/lock";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly World _world;
    private readonly Worker[] _atWork;
    private readonly List<Worker> _killed = [];
    private readonly List<string> _ended = [];

    /// <param name="world">The service, and where its database is.</param>
    /// <param name="count">How many there are at once.</param>
    public Workers(World world, int count)
    {
        _world = world;
        _atWork = [.. Enumerable.Range(0, count).Select(Start)];
        Targets =
        [
            .. Enumerable.Range(0, count).Select(number => new Target($"worker-{number}", Pause, random => BreakAsync(number, random))),
        ];
    }

    /// <summary>Each of them, as a part that breaks.</summary>
    public IReadOnlyList<Target> Targets { get; }

    /// <summary>How often one of them found its writes refused.</summary>
    public int Refused => All.Sum(worker => worker.Refused);

    /// <summary>How often one of them had the lock.</summary>
    public int Tenures => All.Sum(worker => worker.Tenures.Count);

    private IEnumerable<Worker> All
    {
        get
        {
            lock (_killed) return [.. _atWork, .. _killed];
        }
    }

    /// <summary>Once nobody breaks anything any more: one of them is at work again, and no two ever were at once.</summary>
    /// <param name="within">How long it may take until one is.</param>
    public async Task<IReadOnlyList<Violation>> FindFaultsAsync(TimeSpan within)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!_atWork.Any(worker => worker.LastBeat > since) && TimeProvider.System.GetElapsedTime(since) < within)
            await LoadRun.ForAsync(TimeSpan.FromMilliseconds(20));
        List<Violation> found = [.. _ended.Select(ended => new Violation(Violation.Standstill, ended))];
        if (!_atWork.Any(worker => worker.LastBeat > since))
            found.Add(new(Violation.Standstill, $"None of the workers had '{Name}' within {within}."));
        var tenures = All.SelectMany(worker => worker.Tenures).ToList();
        found.AddRange(Tenure.FindOverlaps(tenures).Select(overlap => new Violation(Violation.Overlap, overlap)));
        found.AddRange(tenures.GroupBy(tenure => tenure.Token).Where(same => same.Count() > 1)
            .Select(same => new Violation(Violation.Token, string.Join(", and ", same))));
        return found;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in All) await worker.DisposeAsync();
    }

    private Worker Start(int number) =>
        new([.. _world.Addresses.Skip(number), .. _world.Addresses.Take(number)], "fenced", Name, _world.Database?.ConnectionString);

    private async Task BreakAsync(int number, Random random)
    {
        var worker = _atWork[number];
        if (worker.HasExited)
        {
            lock (_ended) _ended.Add($"worker-{number} ended by itself.");
        }
        else if (random.Next(3) > 0)
        {
            _world.Counts.Add("freezes of clients");
            worker.Freeze();
            await LoadRun.ForAsync(WorkerProgram.Ttl * (0.2 + (3 * random.NextDouble())));
            worker.Thaw();
            return;
        }

        _world.Counts.Add("kills of clients");
        if (!worker.HasExited) await worker.KillAsync();
        lock (_killed)
        {
            _killed.Add(worker);
            _atWork[number] = Start(number);
        }
    }
}
