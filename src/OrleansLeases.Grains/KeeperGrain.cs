using Orleans.Runtime;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Hosts one keeper. These grains are reentrant: the keeper itself processes one call at a time, and a call that waits in the queue
/// does not hold up the next.
/// </summary>
/// <remarks>
/// Leases and keys are safe by the keeper's compare-and-swap, not by Orleans activating a grain once: two activations may be alive
/// at the same time. They are immovable, since monotonic times belong to one process and cannot migrate.
/// Decision grains-are-reentrant-and-immovable.
/// </remarks>
/// <typeparam name="TKeeper">What it hosts.</typeparam>
internal abstract class KeeperGrain<TKeeper> : IGrainBase, IDrainable, IDisposable
    where TKeeper : Keeper
{
    private static readonly Refusal.Unavailable Moving = new(TimeSpan.Zero, "It moves to another silo; repeat the call.");

    private readonly GrainAlarm _alarm;

    /// <param name="context">The activation.</param>
    /// <param name="silo">What the grains of this silo share.</param>
    /// <param name="name">The name of the record.</param>
    /// <param name="make">Makes the keeper of a name.</param>
    protected KeeperGrain(IGrainContext context, LeaseSilo silo, string name, Func<string, KeeperHost, IRecordStore, TKeeper> make)
    {
        (GrainContext, Silo) = (context, silo);
        _alarm = new GrainAlarm(context, silo.Clock, silo.Time);
        Keeper = make(name, silo.HostOf(_alarm), silo.Store);
    }

    public IGrainContext GrainContext { get; }

    protected LeaseSilo Silo { get; }

    // Its answers are never null: without an idle time it does not retire; Orleans decides how long the grain stays.
    protected TKeeper Keeper { get; }

    public Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Silo.Register(Keeper);
        return Task.CompletedTask;
    }

    public Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Leave();
        return Task.CompletedTask;
    }

    public void Drain() => Keeper.Stop(Moving);

    /// <summary>Drops the record, if it may be dropped.</summary>
    protected async Task<bool> DropRecordAsync()
    {
        if (!(await Keeper.SubmitDrop()!).TryGetValue(out var dropped, out _) || !dropped.Done) return false;
        // It would stay in memory for nothing, and many are dropped in a row.
        this.DeactivateOnIdle();
        return true;
    }

    // An activation that fails while it starts is disposed of without having been deactivated.
    public void Dispose()
    {
        Leave();
        _alarm.Dispose();
    }

    private void Leave()
    {
        Silo.Unregister(Keeper);
        Keeper.Stop();
    }
}
