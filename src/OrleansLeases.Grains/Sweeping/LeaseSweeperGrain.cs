using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Wakes the leases of one shard that no activation remembers, after a silo went down with their alarms. One reminder
/// each keeps it going. Nothing is wrong without it: an end is recorded by whoever asks next.
/// </summary>
[GrainType("lease-sweeper")]
internal sealed partial class LeaseSweeperGrain(
    IGrainContext context, IGrainFactory grains, LeaseSilo silo, IOptions<LeaseSiloOptions> options, ILogger<LeaseSweeperGrain> logger)
    : IGrainBase, ILeaseSweeperGrain, IRemindable
{
    private const string Reminder = "sweep";
    private const int PageSize = 64;

    // The least that reminders take.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    public IGrainContext GrainContext { get; } = context;

    public async Task StartAsync()
    {
        // Registered once for all: registering anew with every silo's start would put the next tick off each time.
        if (await this.GetReminder(Reminder) is null) await this.RegisterOrUpdateReminder(Reminder, Period, Period);
    }

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        var shard = (int)this.GetPrimaryKeyLong();
        var shards = options.Value.SweeperShards;
        if (shard >= shards)
        {
            // There were more shards once.
            if (await this.GetReminder(Reminder) is { } old) await this.UnregisterReminder(old);
            return;
        }

        try
        {
            await SweepAsync(shard, shards);
        }
        catch (Exception error)
        {
            LogNotSwept(logger, shard, error);
        }
    }

    private async Task SweepAsync(int shard, int shards)
    {
        var until = silo.Clock.Read().Early;
        DueRecord? last = null;
        IReadOnlyList<DueRecord> page;
        do
        {
            page = await silo.Storage.DueAfterAsync(shard, shards, last, until, PageSize);
            await Task.WhenAll(page.Select(WakeAsync));
            if (page.Count > 0) last = page[^1];
        }
        while (page.Count == PageSize);
    }

    // One that cannot be woken, on a silo that has just died, must not keep the others waiting for the next sweep.
    private async Task WakeAsync(DueRecord record)
    {
        try
        {
            await grains.GetGrain<ILeaseUpkeep>(LeaseGrainKey.Of(record.Resource)).WakeAsync();
        }
        catch (Exception error)
        {
            LogNotWoken(logger, record.Resource, error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of '{Resource}' could not be woken; a later sweep tries again.")]
    private static partial void LogNotWoken(ILogger logger, string resource, Exception error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shard {Shard} of the leases was not swept; the next reminder tries again.")]
    private static partial void LogNotSwept(ILogger logger, int shard, Exception error);
}

/// <summary>Sweeps one shard.</summary>
[Alias("OrleansLeases.ILeaseSweeperGrain")]
internal interface ILeaseSweeperGrain : IGrainWithIntegerKey
{
    /// <summary>Makes sure that the shard's reminder is there.</summary>
    /// <returns>When it is.</returns>
    [Alias("Start")]
    Task StartAsync();
}
