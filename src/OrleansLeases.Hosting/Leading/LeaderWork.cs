using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Hosting.Telemetry;

namespace OrleansLeases.Hosting.Leading;

/// <summary>Campaigns, and runs a service for as long as this instance leads. A round is a term.</summary>
internal sealed class LeaderWork<T> : LeasedWork, ILeaderWork
    where T : BackgroundService
{
    private const string Failed = "failed";

    private readonly LeaderElection _election;
    private readonly TimeSpan _stopMargin;
    private readonly TimeSpan _goodTerm;

    public LeaderWork(IServiceProvider services, LeaderServiceOptions options)
        : base(services, options.ClientKey, typeof(T).ToString(), options.Resource!, (options.ShortestPause, options.LongestPause))
    {
        _election = new(Client, Resource, options.Lease);
        (_stopMargin, _goodTerm) = (options.EffectiveStopMargin, options.LongestPause);
    }

    public Type Service => typeof(T);

    protected override async Task<bool> RoundAsync(CancellationToken stopping)
    {
        Trouble = null;
        Note(HealthStatus.Healthy, "It waits for its turn to lead.");
        var term = await _election.CampaignAsync(stopping).ConfigureAwait(false);
        // Released once the service has stopped, and not before.
        await using var _ = term.ConfigureAwait(false);
        term.Lease.Lease.IsGuarded = true;
        var began = Time.GetTimestamp();
        var end = Failed;
        Metrics.Leads(Name, 1);
        try
        {
            end = await LeadAsync(term, stopping).ConfigureAwait(false);
        }
        finally
        {
            Metrics.Leads(Name, -1);
            Metrics.Led(Name, end, Time.GetElapsedTime(began));
        }

        if (end == Failed && Time.GetElapsedTime(began) >= _goodTerm) Pauses.Reset();
        return end != Failed;
    }

    private async Task<string> LeadAsync(Leadership term, CancellationToken stopping)
    {
        using var stop = new StopSignal(Log, Resource);
        stop.RequestBy(StopSignal.Lost, term.LostToken);
        stop.RequestBy(StopSignal.HandsOver, term.HandOverToken);
        stop.RequestBy(StopSignal.HostStops, stopping);
        var watch = WatchAsync(term.Lease, stop);
        try
        {
            var scope = Services.CreateAsyncScope();
            await using var _ = scope.ConfigureAwait(false);
            scope.ServiceProvider.GetRequiredService<TermSlot>().Term = new(term.Lease);
            await RunAsync(scope.ServiceProvider.GetRequiredService<T>(), term.Lease, stop).ConfigureAwait(false);
            Log.Led(Name, term.Token, stop.Why!);
            return stop.Why!;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // What a service that was asked to stop ends with is no failure of its term.
            if (stop.Why is { } why && error is OperationCanceledException) return why;
            Note(HealthStatus.Degraded, $"The service has failed, and is started again after a pause: {error.Message}");
            Log.ServiceFailed(Name, Resource, error);
            return stop.Why ?? Failed;
        }
        finally
        {
            stop.Request(Failed);
            await watch.ConfigureAwait(false);
        }
    }

    /// <summary>Runs the service until it was asked to stop and has stopped.</summary>
    /// <exception cref="Exception">What the service failed with.</exception>
    private async Task RunAsync(T service, LeaseHandle lease, StopSignal stop)
    {
        Log.Leads(Name, lease.Token, Resource);
        Note(HealthStatus.Healthy, $"It leads with token {lease.Token}.");
        // The token of its ExecuteAsync is linked to this one, and is cancelled without a way through the thread pool.
        var life = Background.Run(() => LiveAsync(service, lease, stop));
        await AwaitEndAsync(life, lease, stop).ConfigureAwait(false);
        await life.ConfigureAwait(false);
    }

    private async Task LiveAsync(T service, LeaseHandle lease, StopSignal stop)
    {
        try
        {
            await service.StartAsync(stop.Token).ConfigureAwait(false);
            var work = service.ExecuteTask ?? Task.CompletedTask;
            await Task.WhenAny(work, stop.Requested).ConfigureAwait(false);
            if (work.IsCompletedSuccessfully && stop.Why is null)
            {
                Log.ServiceEnded(Name);
                Note(HealthStatus.Healthy, $"It has come to its end by itself, and leads on with token {lease.Token}.");
                await stop.Requested.ConfigureAwait(false);
            }
        }
        finally
        {
            await EndAsync(service, lease, stop).ConfigureAwait(false);
        }

        await (service.ExecuteTask ?? Task.CompletedTask).ConfigureAwait(false);
    }

    /// <summary>
    /// Stops the service, and waits until it has, whatever an override of its start or its stop throws: the lease is released next.
    /// </summary>
    private static async Task EndAsync(T service, LeaseHandle lease, StopSignal stop)
    {
        try
        {
            // Where it fails as well: an override may close what the service had opened.
            await service.StopAsync(lease.LostToken).ConfigureAwait(false);
        }
        finally
        {
            var work = service.ExecuteTask ?? Task.CompletedTask;
            // An override that threw may not have asked it.
            if (!work.IsCompleted) stop.Request(Failed);
            await Task.WhenAny(work).ConfigureAwait(false);
        }
    }

    /// <summary>Asks the service to stop while there is still time for that, where its lease cannot be renewed.</summary>
    private async Task WatchAsync(LeaseHandle lease, StopSignal stop)
    {
        while (stop.Why is null)
        {
            var change = lease.NextChange;
            var left = lease.Remaining - _stopMargin;
            if (left <= TimeSpan.Zero)
            {
                stop.Request(StopSignal.NotRenewed);
                return;
            }

            using var next = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
            await Task.WhenAny(change, Task.Delay(WholeMilliseconds(left), Time, next.Token)).ConfigureAwait(false);
            await next.CancelAsync().ConfigureAwait(false);
        }
    }
}
