using Microsoft.Extensions.Logging;
using OrleansLeases.Hosting.Telemetry;

namespace OrleansLeases.Hosting;

/// <summary>
/// Asks work to stop, for the first of several reasons. A callback of the work's that throws is logged: on the thread that sees to lost
/// leases it would end the process. Thread-safe.
/// </summary>
internal sealed class StopSignal(ILogger log, string resource) : IDisposable
{
    public const string HostStops = "stopped";
    public const string HandsOver = "handed-over";
    public const string NotRenewed = "not-renewed";
    public const string Lost = "lost";
    public const string TimedOut = "timed-out";

    private readonly CancellationTokenSource _source = new();
    private readonly TaskCompletionSource _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<CancellationTokenRegistration> _registrations = [];
    private string? _why;

    public CancellationToken Token => _source.Token;

    /// <summary>Completes when the work is asked to stop.</summary>
    public Task Requested => _requested.Task;

    /// <summary>The first reason; null while there is none.</summary>
    public string? Why => Volatile.Read(ref _why);

    /// <summary>Asks when a token is cancelled.</summary>
    public void RequestBy(string why, CancellationToken token) => _registrations.Add(token.UnsafeRegister(_ => Request(why), null));

    public void Request(string why)
    {
        if (Interlocked.CompareExchange(ref _why, why, null) is not null) return;
        _requested.SetResult();
        try
        {
            _source.Cancel();
        }
        catch (AggregateException error)
        {
            log.CallbackFailed(resource, error);
        }
        catch (ObjectDisposedException)
        {
            // By a timer, in the moment in which the work has ended.
        }
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }
}
