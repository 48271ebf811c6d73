using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Metadata;
using Orleans.Runtime;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Wakes the leases of one shard that no activation remembers, after a silo went down with their alarms, and the keys whose time is over:
/// as soon as it is active, and every few seconds while it is. Nothing is wrong without it: the next call for the name records the end.
/// </summary>
/// <remarks>
/// <see cref="SweeperStarter"/> of every silo keeps it active, and so does its reminder, whose shortest period is a minute. A
/// reminder of a shard that is no longer configured unregisters itself.
/// </remarks>
[LeaseGrainType("lease-sweeper")]
internal sealed partial class LeaseSweeperGrain(
    IGrainContext context, IGrainFactory grains, LeaseSilo silo, IOptions<LeaseSiloOptions> options, ILogger<LeaseSweeperGrain> logger)
    : IGrainBase, ILeaseSweeperGrain, IRemindable
{
    /// <summary>
    /// How often a shard is swept, and how soon another silo takes it over. The published fail-over time has as long for
    /// moving, so that the keys of a lease whose silo died are gone within the grace.
    /// </summary>
    public static readonly TimeSpan Period = LeaseSiloOptions.MoveTime;

    private const string Reminder = "sweep";
    private const int PageSize = 64;
    private const int MaxIdlePages = 8;
    private static readonly TimeSpan ShortestReminder = TimeSpan.FromMinutes(1);

    private readonly int _shard = (int)context.GrainId.GetIntegerKey();
    private bool _hasReminder;
    private IdleRecords? _idle;

    public IGrainContext GrainContext { get; } = context;

    private int Shards => options.Value.SweeperShards;

    public Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // There may have been more shards once.
        if (_shard >= Shards) return Task.CompletedTask;
        this.RegisterGrainTimer(SweepAsync, new GrainTimerCreationOptions(TimeSpan.Zero, Period));
        _idle = new(silo.Store, silo.Rules, silo.Clock, DropAsync, _shard, Shards);
        // Beside the other: what is due, the published grace counts on.
        this.RegisterGrainTimer(SweepIdleAsync, new GrainTimerCreationOptions(Period, Period) { Interleave = true });
        return Task.CompletedTask;
    }

    public async Task StartAsync()
    {
        // Registered once for all: registering anew with every silo's start would put the next tick off each time.
        if (!_hasReminder && await this.GetReminder(Reminder) is null)
        {
            await this.RegisterOrUpdateReminder(Reminder, ShortestReminder, ShortestReminder);
        }

        _hasReminder = true;
    }

    // Being activated by it is all that a configured shard needs.
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (_shard >= Shards && await this.GetReminder(Reminder) is { } old) await this.UnregisterReminder(old);
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        await SweepAsync(RecordKind.Lease, cancellationToken);
        await SweepAsync(RecordKind.Key, cancellationToken);
    }

    private async Task SweepAsync(RecordKind kind, CancellationToken cancellationToken)
    {
        try
        {
            var query = new DueQuery
            {
                Kind = kind,
                Until = silo.Clock.Read().Earliest.Ticks / TimeSpan.TicksPerMillisecond,
                Limit = PageSize,
                Shard = _shard,
                Shards = Shards,
            };
            IReadOnlyList<DueRecord> page;
            do
            {
                page = await silo.Store.DueAsync(query, cancellationToken);
                await Task.WhenAll(page.Select(record => WakeAsync(kind, record.Name)));
                if (page.Count > 0) query = query with { After = page[^1] };
            }
            while (page.Count == PageSize && !cancellationToken.IsCancellationRequested);
        }
        catch (Exception error)
        {
            LogNotSwept(logger, _shard, error);
        }
    }

    // A few pages each time: nobody waits for it, and what is left comes with the next one.
    private async Task SweepIdleAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (var pages = 0; pages < MaxIdlePages && !cancellationToken.IsCancellationRequested; pages++)
            {
                if (!await _idle!.SweepAsync(cancellationToken)) break;
            }
        }
        catch (Exception error)
        {
            LogNotSwept(logger, _shard, error);
        }
    }

    private async Task<bool> DropAsync(RecordKind kind, string name)
    {
        try
        {
            return kind == RecordKind.Lease
                ? await grains.GetGrain<IInternalLeaseGrain>(LeaseGrainKey.Of(name)).DropAsync()
                : await grains.GetGrain<IInternalKeyGrain>(KeyGrainKey.Of(name)).DropAsync();
        }
        catch (Exception)
        {
            // On a silo that has just died, or stops. A later sweep finds it again.
            return false;
        }
    }

    // One that cannot be woken, on a silo that has just died, must not keep the others waiting for the next sweep.
    private async Task WakeAsync(RecordKind kind, string name)
    {
        try
        {
            await (kind == RecordKind.Lease
                ? grains.GetGrain<IInternalLeaseGrain>(LeaseGrainKey.Of(name)).WakeAsync()
                : grains.GetGrain<IInternalKeyGrain>(KeyGrainKey.Of(name)).WakeAsync());
        }
        catch (Exception error)
        {
            if (kind == RecordKind.Lease) LogNotWoken(logger, VisibleText.Show(name), error);
            else LogKeyNotWoken(logger, VisibleText.Show(name), error);
        }
    }

    [LoggerMessage(7431, LogLevel.Warning, "The lease of '{Resource}' could not be woken; a later sweep tries again.")]
    private static partial void LogNotWoken(ILogger logger, string resource, Exception error);

    [LoggerMessage(7434, LogLevel.Warning, "The key '{Key}', whose time is over, could not be woken; a later sweep tries again.")]
    private static partial void LogKeyNotWoken(ILogger logger, string key, Exception error);

    [LoggerMessage(7432, LogLevel.Warning, "Shard {Shard} of the leases was not swept; a later sweep tries again.")]
    private static partial void LogNotSwept(ILogger logger, int shard, Exception error);
}

/// <summary>Sweeps one shard.</summary>
[Alias("OrleansLeases.ILeaseSweeperGrain"), DefaultGrainType("lease-sweeper")]
internal interface ILeaseSweeperGrain : IGrainWithIntegerKey
{
    /// <summary>Makes sure that the shard is being swept, and that its reminder is registered.</summary>
    /// <returns>Completes once both are so.</returns>
    [Alias("Start")]
    Task StartAsync();
}
