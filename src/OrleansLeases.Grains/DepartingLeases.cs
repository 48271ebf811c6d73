using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Tells lease grains that they are about to be deactivated. Orleans does that whenever the silo goes that was the
/// directory for an activation, wherever the activation is, and waits for the calls it executes while it takes no others:
/// a call that waits in line would keep the holder's renewals waiting until the lease is over.
/// </summary>
internal sealed class DepartingLeases : IActivationWorkingSetObserver
{
    public void OnDeactivating(IActivationWorkingSetMember member)
    {
        if (member is IGrainContext { GrainInstance: LeaseGrain grain }) grain.Depart();
    }
}
