using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Client;
using OrleansLeases.Client.Internal;
using OrleansLeases.Hosting.Telemetry;

namespace OrleansLeases.Hosting;

/// <summary>Work that this process does while it holds a lease: round after round, until the host stops.</summary>
internal abstract class LeasedWork
{
    // Until work that was asked to stop is spoken of.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LostPatience = TimeSpan.FromSeconds(1);

    private volatile Condition _condition = new(HealthStatus.Healthy, "It has not begun yet.");
    private volatile string? _trouble;
    private volatile Unstopped? _unstopped;
    private volatile bool _hasEnded;

    /// <param name="services">Those of the host.</param>
    /// <param name="clientKey">The key of the client among them; null for the one without.</param>
    /// <param name="name">What the work is called in metrics.</param>
    /// <param name="resource">The resource that it holds.</param>
    /// <param name="pauses">How long it pauses after a round that failed: the shortest and the longest.</param>
    protected LeasedWork(
        IServiceProvider services, string? clientKey, string name, string resource, (TimeSpan Shortest, TimeSpan Longest) pauses)
    {
        (Services, Name, Resource) = (services, name, resource);
        Client = (clientKey is null ? services.GetService<LeaseClient>() : services.GetKeyedService<LeaseClient>(clientKey))
            ?? throw new InvalidOperationException(
                $"'{resource}' needs a {nameof(LeaseClient)}{(clientKey is null ? "" : $" of the key '{clientKey}'")}, and the services "
                + "have none; add one with AddLeasesClient, or with a silo's AddLeases.");
        Log = services.GetService<ILoggerFactory>()?.CreateLogger(LogCategory) ?? NullLogger.Instance;
        Metrics = services.GetRequiredService<HostingMetrics>();
        Pauses = new(pauses.Shortest, pauses.Longest, Client.Random);
    }

    public const string LogCategory = "OrleansLeases.Hosting";

    public string Name { get; }

    public string Resource { get; }

    public LeaseClient Client { get; }

    public bool HasEnded => _hasEnded;

    protected IServiceProvider Services { get; }

    protected ILogger Log { get; }

    protected HostingMetrics Metrics { get; }

    protected Backoff Pauses { get; }

    protected TimeProvider Time => Client.Time;

    /// <summary>What keeps the work from going on, whatever it did before; null where nothing does.</summary>
    protected string? Trouble
    {
        set => _trouble = value;
    }

    /// <summary>Works until the token is cancelled, and what was under way has ended. Never throws.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        await GoRoundAsync(stopping).ConfigureAwait(false);
        try
        {
            await EndAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            Log.InTrouble(Resource, error);
        }

        _hasEnded = true;
    }

    public HealthCheckResult Check(HealthStatus failure)
    {
        if (_unstopped is { } unstopped && !unstopped.Work.IsCompleted)
        {
            var token = unstopped.Lease.Token;
            return unstopped.Lease.IsValid()
                ? HealthCheckResult.Degraded($"It was asked to stop ({unstopped.Why}) and goes on; its lease is held until it ends.")
                : new(failure, $"It goes on although its lease is over; only what checks the token {token} is protected from it.");
        }

        if (_trouble is { } trouble) return HealthCheckResult.Degraded(trouble);
        var condition = _condition;
        return new(condition.Status, condition.Words);
    }

    /// <summary>One round; the answer is false where it failed and a pause is due.</summary>
    protected abstract Task<bool> RoundAsync(CancellationToken stopping);

    /// <summary>Comes after the last round.</summary>
    protected virtual Task EndAsync() => Task.CompletedTask;

    protected void Note(HealthStatus status, string words) => _condition = new(status, words);

    /// <summary>Passes time, unless the token is cancelled.</summary>
    protected async Task PauseAsync(TimeSpan length, CancellationToken stopping) =>
        await Task.Delay(WholeMilliseconds(length), Time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>
    /// Waits for work, however long it takes after it was asked to stop, and says where that is too long. The caller releases the lease
    /// afterwards: not before, so that no other instance works beside it.
    /// </summary>
    protected async Task AwaitEndAsync(Task work, LeaseHandle lease, StopSignal stop)
    {
        await Task.WhenAny(work, stop.Requested).ConfigureAwait(false);
        if (work.IsCompleted) return;
        _unstopped = new(work, lease, stop.Why!);
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = lease.LostToken.UnsafeRegister(static lost => ((TaskCompletionSource)lost!).TrySetResult(), lost);
        await EndOrAsync(work, StopPatience, lost.Task).ConfigureAwait(false);
        if (!work.IsCompleted && !lost.Task.IsCompleted)
        {
            Log.GoesOn(Resource, stop.Why!);
            await Task.WhenAny(work, lost.Task).ConfigureAwait(false);
        }

        if (!work.IsCompleted) await EndOrAsync(work, LostPatience).ConfigureAwait(false);
        if (!work.IsCompleted) Log.GoesOnUnguarded(Resource, lease.Token);
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _unstopped = null;
    }

    protected static TimeSpan WholeMilliseconds(TimeSpan length) => TimeSpan.FromMilliseconds(Math.Ceiling(length.TotalMilliseconds));

    private async Task GoRoundAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await RoundAsync(stopping).ConfigureAwait(false))
                {
                    Pauses.Reset();
                    continue;
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                Trouble = $"It cannot go on, and tries again: {error.Message}";
                Log.InTrouble(Resource, error);
            }

            await PauseAsync(Pauses.Next(), stopping).ConfigureAwait(false);
        }
    }

    private async Task EndOrAsync(Task work, TimeSpan time, Task? other = null)
    {
        using var passed = new CancellationTokenSource();
        await Task.WhenAny(work, Task.Delay(time, Time, passed.Token), other ?? work).ConfigureAwait(false);
        await passed.CancelAsync().ConfigureAwait(false);
    }

    private sealed record Condition(HealthStatus Status, string Words);

    private sealed record Unstopped(Task Work, LeaseHandle Lease, string Why);
}
