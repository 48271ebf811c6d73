using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Drains an activation of a lease or key as soon as Orleans begins to deactivate it. Orleans deactivates an activation, on any
/// silo, when the silo that was its directory leaves; it then waits for the running calls and accepts no new ones. A queued acquire,
/// or a watch that awaits its next event, would hold up the renewals of the lease's holder for that long.
/// </summary>
internal sealed class DeactivationDrainer : IActivationWorkingSetObserver
{
    public void OnDeactivating(IActivationWorkingSetMember member)
    {
        if (member is IGrainContext { GrainInstance: IDrainable grain }) grain.Drain();
    }
}

/// <summary>A grain with calls that may wait for long: queued acquires, and watches.</summary>
internal interface IDrainable
{
    /// <summary>Ends the waiting calls, so that the deactivation need not wait for them. Thread-safe.</summary>
    void Drain();
}
