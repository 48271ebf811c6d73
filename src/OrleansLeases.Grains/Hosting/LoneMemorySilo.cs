using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>Refuses to start a silo that keeps leases in its own memory beside another: each would grant what the other has granted.</summary>
internal sealed class LoneMemorySilo(IClusterMembershipService membership, ILocalSiloDetails self) : ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle lifecycle)
    {
        // Before it joins; and once it has, since two that start together see each other only then.
        lifecycle.Subscribe(nameof(LoneMemorySilo), ServiceLifecycleStage.AfterRuntimeGrainServices, CheckAsync);
        lifecycle.Subscribe(nameof(LoneMemorySilo), ServiceLifecycleStage.Active, CheckAsync);
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        await membership.Refresh(cancellationToken: cancellationToken);
        if (membership.CurrentSnapshot.Members.Values.FirstOrDefault(member => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(self.SiloAddress)) is { } other)
            throw new OrleansConfigurationException(
                $"Leases are kept in this silo's memory, but silo {other.SiloAddress} is active in the cluster as well, and would grant the same leases. Use AddLeases with a PostgreSQL connection string on every silo.");
    }
}
