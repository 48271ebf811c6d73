using System.Diagnostics;
using System.Globalization;
using OrleansLeases.Testing.Processes;
using OrleansLeases.Torture.Recipes;

namespace OrleansLeases.Torture.Hosted;

/// <summary>One start of a job.</summary>
internal sealed record JobStart(string Job, DateTimeOffset Tick, long Token, string Instance);

/// <summary>An <see cref="InstanceProgram"/> that can be killed, stopped where it is, and asked to end.</summary>
internal sealed class InstanceProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<JobStart> _starts = [];
    private readonly Dictionary<long, Tenure> _tenures = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public InstanceProcess(string name, Uri server, int jobs, int period)
    {
        Name = name;
        string[] arguments =
        [
            typeof(InstanceProcess).Assembly.Location, InstanceProgram.Word, server.AbsoluteUri, name,
            jobs.ToString(CultureInfo.InvariantCulture), period.ToString(CultureInfo.InvariantCulture),
        ];
        _process = Process.Start(
            new ProcessStartInfo("dotnet", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        _process.OutputDataReceived += (_, line) => Take(line.Data ?? "");
        _process.BeginOutputReadLine();
    }

    public string Name { get; }

    /// <summary>When something was last done to it; null where nothing was.</summary>
    public DateTimeOffset? DisturbedAt { get; private set; }

    public IReadOnlyList<JobStart> Starts
    {
        get
        {
            lock (_gate) return [.. _starts];
        }
    }

    /// <summary>Its terms as the leader.</summary>
    public IReadOnlyList<Tenure> Tenures
    {
        get
        {
            lock (_gate) return [.. _tenures.Values];
        }
    }

    public Task ReadyAsync() => _ready.Task.WaitAsync(TimeSpan.FromMinutes(1));

    public async Task KillAsync()
    {
        Signal(Signals.Kill);
        await _process.WaitForExitAsync();
    }

    public void Freeze() => Signal(Signals.Stop);

    public void Thaw() => Signal(Signals.Continue);

    /// <summary>Asks it to end, and waits until it has.</summary>
    public async Task EndAsync()
    {
        Signal(Signals.Terminate);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Signal(int signal)
    {
        DisturbedAt = TimeProvider.System.GetUtcNow();
        Signals.Send(_process.Id, signal);
    }

    // A line that was cut off by a kill is none.
    private void Take(string line)
    {
        if (line == InstanceProgram.Ready) _ready.TrySetResult();
        lock (_gate)
        {
            switch (line.Split(' '))
            {
                case ["start", var job, var second, var token] when long.TryParse(token, out var number):
                    var tick = DateTimeOffset.FromUnixTimeSeconds(long.Parse(second, CultureInfo.InvariantCulture));
                    _starts.Add(new(job, tick, number, Name));
                    break;
                case ["lead", var token, var time] when long.TryParse(token, out var number) && long.TryParse(time, out var now):
                    _tenures[number] = _tenures.TryGetValue(number, out var tenure)
                        ? tenure with { Until = now }
                        : new(Tenure.Alone, number, now, now);
                    break;
            }
        }
    }
}
