using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Tells the grains of leases and keys that they are about to be deactivated. Orleans does that whenever the silo goes that
/// was the directory for an activation, wherever the activation is, and waits for the calls it executes while it takes no
/// others: a call that waits in the queue, or for the next event of a watch, would keep the holder's renewals waiting.
/// </summary>
internal sealed class DepartingLeases : IActivationWorkingSetObserver
{
    public void OnDeactivating(IActivationWorkingSetMember member)
    {
        if (member is IGrainContext { GrainInstance: IDeparting grain }) grain.Depart();
    }
}

/// <summary>A grain some of whose calls wait for something that may be long in coming.</summary>
internal interface IDeparting
{
    /// <summary>Sends away whoever waits: the deactivation waits for them, and new calls wait for it. Called from anywhere.</summary>
    void Depart();
}
