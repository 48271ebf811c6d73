using System.Diagnostics;
using System.Globalization;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Torture.Recipes;

/// <summary>A <see cref="WorkerProgram"/> that a test can kill and stop.</summary>
internal sealed class Worker : IAsyncDisposable
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<long, Tenure> _tenures = [];
    private readonly Process _process;
    private string _last = "";

    /// <param name="servers">Where the service is; it prefers the first.</param>
    /// <param name="recipe">What it does, again and again.</param>
    /// <param name="name">The resource that it is about.</param>
    /// <param name="database">Where it writes under its tokens; nowhere where null.</param>
    public Worker(IEnumerable<Uri> servers, string recipe, string name, string? database = null)
    {
        var addresses = string.Join(' ', servers.Select(server => server.AbsoluteUri));
        string[] arguments = [typeof(Worker).Assembly.Location, WorkerProgram.Word, addresses, recipe, name];
        var start = new ProcessStartInfo("dotnet", database is null ? arguments : [.. arguments, database])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Take(line.Data ?? "");
        _process.BeginOutputReadLine();
    }

    /// <summary>What it has seen so far.</summary>
    public IReadOnlyList<Tenure> Tenures
    {
        get
        {
            lock (_gate) return [.. _tenures.Values];
        }
    }

    /// <summary>The latest moment at which it saw its lease to be valid; 0 before the first.</summary>
    public long LastBeat
    {
        get
        {
            lock (_gate) return _tenures.Count == 0 ? 0 : _tenures.Values.Max(tenure => tenure.Until);
        }
    }

    /// <summary>How often it found that writes of its had been refused for a stale token.</summary>
    public int Refused { get; private set; }

    public bool HasExited => _process.HasExited;

    public async Task KillAsync()
    {
        Signals.Send(_process.Id, Signals.Kill);
        await _process.WaitForExitAsync().WaitAsync(WaitTimeout);
    }

    public void Freeze() => Signals.Send(_process.Id, Signals.Stop);

    public void Thaw() => Signals.Send(_process.Id, Signals.Continue);

    /// <summary>What it said at its end.</summary>
    public async Task<string> LastWordAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(WaitTimeout);
        lock (_gate) return _last;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    // A line that was cut off by a kill is none.
    private void Take(string line)
    {
        lock (_gate)
        {
            if (line.Length > 0) _last = line;
            if (line == WorkerProgram.Refused) Refused++;
            if (line.Split(' ') is not [var how, var word, var time]
                || !long.TryParse(word, CultureInfo.InvariantCulture, out var token)
                || !long.TryParse(time, CultureInfo.InvariantCulture, out var now)) return;
            _tenures[token] = _tenures.TryGetValue(token, out var tenure) ? tenure with { Until = now } : new(how, token, now, now);
        }
    }
}
