using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Hosting.Leading;
using OrleansLeases.Hosting.Telemetry;

namespace OrleansLeases.Hosting;

/// <summary>
/// Runs all leased work of a host. It begins once every service of the host has started, and ends before the first of them is stopped:
/// a silo that the leases come from, or a server that the work calls, is there all the while.
/// </summary>
internal sealed class LeasedWorks(IEnumerable<LeasedWork> works, IServiceProvider services, ILogger<LeasedWorks>? log = null)
    : IHostedLifecycleService, IDisposable
{
    private readonly LeasedWork[] _works = [.. works];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _log = log ?? (ILogger)NullLogger.Instance;
    private Task _run = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var same in _works.GroupBy(work => (work.Client, work.Resource)).Where(same => same.Skip(1).Any()))
        {
            throw new InvalidOperationException(
                $"{string.Join(" and ", same.Select(work => work.Name))} have one resource, '{same.Key.Resource}', and would wait for each "
                + "other; set another one in the options of one.");
        }

        var hosted = services.GetServices<IHostedService>().Select(service => service.GetType()).ToHashSet();
        if (_works.OfType<ILeaderWork>().FirstOrDefault(work => hosted.Contains(work.Service)) is { } twice)
        {
            throw new InvalidOperationException(
                $"{twice.Service} is a service that leads and, by AddHostedService, one of every instance; leave out AddHostedService.");
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _run = Task.WhenAll(_works.Select(work => Background.Run(() => work.RunAsync(_stopping.Token))));
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_stopping.IsCancellationRequested) return;
        await _stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await _run.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Released while it works, a lease would let another instance work beside it: it expires instead, once the process is gone.
            _log.NotStoppedInTime(string.Join(", ", _works.Where(work => !work.HasEnded).Select(work => work.Resource)));
        }
    }

    // A host that knows nothing of the stages before and after calls this alone.
    public Task StopAsync(CancellationToken cancellationToken) => StoppingAsync(cancellationToken);

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        // A host that is disposed of without a stop, as one is whose start has failed.
        if (!_stopping.IsCancellationRequested) _stopping.Cancel();
        _stopping.Dispose();
    }
}
