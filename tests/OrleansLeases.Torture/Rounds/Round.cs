using System.Globalization;
using OrleansLeases.Torture.Load;
using OrleansLeases.Torture.Worlds;

namespace OrleansLeases.Torture.Rounds;

/// <summary>One world and one load, with what a seed does to it for a while, and what came of it.</summary>
/// <param name="World"><c>embedded</c> or <c>silos</c>.</param>
/// <param name="Seed">Seeds what is done to it, and what its clients choose.</param>
internal sealed record Round(string World, int Seed)
{
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(1);

    /// <summary>How long the world is tortured.</summary>
    public TimeSpan Length { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Settings of PostgreSQL.</summary>
    public IReadOnlyList<string> Database { get; init; } = [];

    /// <summary>What is done to the world before the load: a defect to be found.</summary>
    public Func<World, Task> PlantAsync { get; init; } = _ => Task.CompletedTask;

    /// <summary>The part that breaks; null for all.</summary>
    public string? Only { get; init; }

    /// <summary>Where a round that found something leaves its logs and histories; nowhere where null.</summary>
    public string? Folder { get; init; }

    /// <summary>The command that does the same again.</summary>
    public string Command => string.Create(CultureInfo.InvariantCulture, $"./torture.sh --world {World} --seed {Seed} --minutes 1");

    /// <param name="stop">Ends it, without a check: nothing of it goes on.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<Outcome> RunAsync(CancellationToken stop = default)
    {
        var started = TimeProvider.System.GetTimestamp();
        await using var world = World == "embedded" ? await EmbeddedWorld.StartAsync() : await SilosWorld.StartAsync([.. Database]);
        await PlantAsync(world);
        await using var load = await LoadRun.StartAsync(world, Seed);
        IReadOnlyList<Violation> violations;
        try
        {
            await TortureAsync([.. world.Targets, .. load.Targets], stop);
            stop.ThrowIfCancellationRequested();
            await world.MakeWholeAsync();
            await LoadRun.ForAsync(Calm);
            violations = await load.EndAsync();
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            // Whatever does not come to its end within its time is a fault of the service, or of the torture.
            violations = [new(Violation.Standstill, error.ToString())];
        }

        world.Counts.Add("calls", load.Calls);
        world.Counts.Add("told grants", load.Grants);
        world.Counts.Add("leases found held", load.FoundHeld);
        world.Counts.Add("keys shown", load.KeysShown);
        world.Counts.Add("stale writes refused", load.StaleWritesRefused);
        world.Counts.Add("rounds");
        if (violations.Count > 0 && Folder is not null) Keep(world, load, violations);
        return new(this, TimeProvider.System.GetElapsedTime(started), world.Counts, violations, [.. world.LeftOut]);
    }

    private async Task TortureAsync(IEnumerable<Target> targets, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(Length);
        await Task.WhenAll(targets.Where(target => (Only ?? target.Name) == target.Name).Select((target, number) => Task.Run(async () =>
        {
            var random = new Random(unchecked((Seed * 397) + number));
            while (true)
            {
                await Task.Delay(2 * random.NextDouble() * target.Pause, TimeProvider.System, end.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (end.IsCancellationRequested) return;
                await target.BreakAsync(random);
            }
        })));
    }

    private void Keep(World world, LoadRun load, IReadOnlyList<Violation> violations)
    {
        var folder = Directory.CreateDirectory(Folder!).FullName;
        File.WriteAllLines(Path.Combine(folder, "violations"), violations.Select(violation => $"{violation.Kind}: {violation.What}"));
        foreach (var (name, log) in world.Logs) File.WriteAllText(Path.Combine(folder, $"{name}.log"), log);
        foreach (var calls in load.History)
        {
            File.WriteAllLines(
                Path.Combine(folder, $"{calls.Key.Replace('/', '-')}.history"),
                calls.OrderBy(call => call.Invoked).Select(call => call.ToString()));
        }
    }
}

/// <summary>What came of a round.</summary>
/// <param name="Round">The round.</param>
/// <param name="Took">How long it took, with its start and its checks.</param>
/// <param name="Counts">What was done, and how often.</param>
/// <param name="Violations">What must never be.</param>
/// <param name="LeftOut">What could not be done on this machine, and why.</param>
internal sealed record Outcome(
    Round Round, TimeSpan Took, Counts Counts, IReadOnlyList<Violation> Violations, IReadOnlyList<string> LeftOut)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Round.World} seed {Round.Seed}, {Took.TotalSeconds:0} s: {Counts}; {Violations.Count} violations");
}
