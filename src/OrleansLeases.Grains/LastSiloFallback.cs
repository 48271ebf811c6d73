using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Answers for the grains while the cluster's last silo stops: Orleans activates none on a silo that is no longer active, and a
/// call for one that is not active yet ends only with its timeout. Thread-safe.
/// </summary>
/// <param name="silos">Knows which silos are active.</param>
/// <param name="leases">The silo's leases.</param>
internal sealed class LastSiloFallback(ISiloStatusOracle silos, LeaseSilo leases)
{
    private static readonly Refusal.Unavailable Stopping = new(
        TimeSpan.FromSeconds(1),
        "This silo is stopping and no other silo of the cluster is active, so there is nobody to ask and nothing was changed. "
        + "Ask again once a silo has started.");

    /// <summary>The refusal of every call once no grain can be called; null while one can.</summary>
    public Refusal.Unavailable? Refusal =>
        silos.CurrentStatus.IsTerminating() && silos.GetApproximateSiloStatuses(onlyActive: true).Count == 0 ? Stopping : null;

    /// <summary>Releases a lease without its grain.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="release">The release, checked.</param>
    /// <returns>The response that the grain would give.</returns>
    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(string resource, LeaseCommand<LeaseRelease> release)
    {
        // The clean-up of its keys is stored with the lease, and the sweepers of the next silo find it.
        var host = leases.HostOf(NoAlarm.Instance) with { Cleaner = null, Background = TaskScheduler.Default };
        return new LeaseKeeper(resource, host, leases.Store).Submit(release)!;
    }

    // These keepers process one call, and the next silo's sweepers find what becomes due.
    private sealed class NoAlarm : IKeeperAlarm
    {
        public static readonly NoAlarm Instance = new();

        public void Set(Keeper keeper, TimeSpan at)
        {
        }
    }
}
