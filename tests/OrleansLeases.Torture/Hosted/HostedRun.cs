using System.Globalization;
using System.Text.Json;
using OrleansLeases.Torture.Processes;
using OrleansLeases.Torture.Recipes;

namespace OrleansLeases.Torture.Hosted;

/// <summary>
/// Three instances of an application with a service that leads and jobs on a schedule, killed, frozen and stopped in turn, one or two at a
/// time. No tick is started twice, each is started while an instance is left alone, and no two lead at once.
/// </summary>
/// <param name="ticks">How many ticks are to be due, of all jobs together.</param>
/// <param name="jobs">How many jobs there are.</param>
/// <param name="period">The seconds between two ticks of a job.</param>
/// <param name="seed">What is done to which instance, and when.</param>
internal sealed class HostedRun(int ticks, int jobs, int period, int seed) : IAsyncDisposable
{
    private const int Instances = 3;

    private readonly Random _random = new(seed);
    private readonly TempFolder _folder = new();
    private readonly List<InstanceProcess> _running = [];
    private readonly List<InstanceProcess> _everyone = [];
    private readonly Dictionary<(int Job, DateTimeOffset Tick), string> _marks = [];
    private Server? _server;

    public int Kills { get; private set; }

    public int Freezes { get; private set; }

    public int Stops { get; private set; }

    public int Started { get; private set; }

    /// <summary>Ticks that an instance took, and could not start: it was killed, or stopped for long.</summary>
    public int TakenAlong { get; private set; }

    public int Terms { get; private set; }

    public List<string> Violations { get; } = [];

    public async Task RunAsync(CancellationToken stop = default)
    {
        _server = await Server.StartAsync(_folder.Path);
        for (var i = 0; i < Instances; i++) Start();
        foreach (var instance in _running) await instance.ReadyAsync();
        for (var job = 0; job < jobs; job++) await BegunAsync(job, stop);
        // The first tick after all had begun, and the first one that is not waited for.
        var first = NextTick(TimeProvider.System.GetUtcNow());
        var end = first + TimeSpan.FromSeconds((long)period * ((ticks + jobs - 1) / jobs));
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var marking = ReadMarksAsync(over.Token);
        while (TimeProvider.System.GetUtcNow() < end - TimeSpan.FromSeconds(period)) await DisturbAsync(stop);
        await PassAsync(end - TimeProvider.System.GetUtcNow(), stop);
        await over.CancelAsync();
        await marking;
        Check(first, end);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var instance in _everyone) await instance.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        _folder.Dispose();
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"hosted seed {seed}: {ticks} ticks of {jobs} jobs each {period} s, {Started} started, {TakenAlong} taken along by an instance "
        + $"that was killed or frozen; {Kills} kills, {Freezes} freezes, {Stops} stops, {Terms} terms; {Violations.Count} violations");

    private static Task PassAsync(TimeSpan time, CancellationToken stop) =>
        time > TimeSpan.Zero ? Task.Delay(time, TimeProvider.System, stop) : Task.CompletedTask;

    private DateTimeOffset NextTick(DateTimeOffset after) =>
        DateTimeOffset.FromUnixTimeSeconds(((after.ToUnixTimeSeconds() / period) + 1) * period);

    /// <summary>Ticks of a job count from when the first instance has stored its first mark.</summary>
    private async Task BegunAsync(int job, CancellationToken stop)
    {
        while ((await _server!.Leases.GetKeyAsync(InstanceProgram.ResourceOf(job), stop)).Refusal is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
    }

    private InstanceProcess Start()
    {
        var instance = new InstanceProcess(
            string.Create(CultureInfo.InvariantCulture, $"instance{_everyone.Count + 1}"), _server!.Http.BaseAddress!, jobs, period);
        _running.Add(instance);
        _everyone.Add(instance);
        return instance;
    }

    /// <summary>Does something to one or two instances around a tick, and waits until all are there again.</summary>
    private async Task DisturbAsync(CancellationToken stop)
    {
        var victims = _running.OrderBy(_ => _random.Next()).Take(_random.Next(1, Instances)).ToList();
        var tick = NextTick(TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(200));
        await Task.WhenAll(victims.Select(victim => DisturbAsync(
            victim, _random.Next(4), tick + TimeSpan.FromMilliseconds(_random.Next(-100, 400)), _random.Next(50, 3_000), stop)));
        // Whoever was spared has a whole period before it may be the next: what it is about to start it can start.
        await PassAsync(NextTick(TimeProvider.System.GetUtcNow()) - TimeProvider.System.GetUtcNow() + InstanceProgram.Ttl, stop);
    }

    private async Task DisturbAsync(InstanceProcess victim, int what, DateTimeOffset at, int length, CancellationToken stop)
    {
        await PassAsync(at - TimeProvider.System.GetUtcNow(), stop);
        if (what < 2)
        {
            Freezes++;
            victim.Freeze();
            await PassAsync(TimeSpan.FromMilliseconds(length), stop);
            victim.Thaw();
            return;
        }

        lock (_running) _running.Remove(victim);
        if (what == 2)
        {
            Kills++;
            await victim.KillAsync();
        }
        else
        {
            Stops++;
            await victim.EndAsync();
        }

        InstanceProcess next;
        lock (_running) next = Start();
        await next.ReadyAsync();
    }

    /// <summary>Reads who took which tick, before the next one is due.</summary>
    private async Task ReadMarksAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            for (var job = 0; job < jobs; job++)
            {
                var read = await _server!.Leases.GetKeyAsync(InstanceProgram.ResourceOf(job), CancellationToken.None);
                if (!read.TryGetValue(out var mark, out _)) continue;
                using var json = JsonDocument.Parse(mark.Value);
                var tick = json.RootElement.GetProperty("tick").GetDateTimeOffset();
                _marks[(job, tick)] = json.RootElement.GetProperty("owner").GetString()!;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, over).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Check(DateTimeOffset first, DateTimeOffset end)
    {
        var starts = _everyone.SelectMany(instance => instance.Starts).ToLookup(start => (start.Job, start.Tick));
        foreach (var twice in starts.Where(start => start.Skip(1).Any()))
            Violations.Add($"{twice.Key} was started twice: {string.Join(" and ", twice)}.");
        for (var job = 0; job < jobs; job++)
        {
            var name = InstanceProgram.ResourceOf(job)["jobs/".Length..];
            for (var tick = first; tick < end; tick += TimeSpan.FromSeconds(period))
            {
                if (starts.Contains((name, tick))) Started++;
                else if (IsTakenAlong(job, tick)) TakenAlong++;
                else Violations.Add($"{name} was not started for {tick:o}, which {_marks.GetValueOrDefault((job, tick), "nobody")} took.");
            }
        }

        var tenures = _everyone.SelectMany(instance => instance.Tenures).ToList();
        Terms = tenures.Count;
        Violations.AddRange(Tenure.FindOverlaps(tenures).Select(overlap => $"Two led at once: {overlap}."));
    }

    private bool IsTakenAlong(int job, DateTimeOffset tick) => _marks.TryGetValue((job, tick), out var owner)
        && _everyone.Find(instance => instance.Name == owner)?.DisturbedAt > tick - TimeSpan.FromSeconds(1);
}
