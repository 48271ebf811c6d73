using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Answers for the grains while the cluster's last silo stops: Orleans activates none on a silo that is no longer active, and a
/// call for one that is not active yet ends only with its timeout. Thread-safe.
/// </summary>
/// <param name="silos">Knows which silos are active.</param>
/// <param name="leases">The silo's leases.</param>
internal sealed class LastSilo(ISiloStatusOracle silos, LeaseSilo leases)
{
    private static readonly Refusal.Unavailable Stopping = new(
        TimeSpan.FromSeconds(1),
        "This silo is stopping and no other silo of the cluster is active, so there is nobody to ask and nothing was changed. "
        + "Ask again once a silo has started.");

    /// <summary>Why no grain can be asked; null while one can.</summary>
    public Refusal.Unavailable? Refusal =>
        silos.CurrentStatus.IsTerminating() && silos.GetApproximateSiloStatuses(onlyActive: true).Count == 0 ? Stopping : null;

    /// <summary>Releases in place of the lease's grain.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="release">The release, checked.</param>
    /// <returns>As the grain would answer.</returns>
    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(string resource, LeaseCommand<LeaseRelease> release)
    {
        // What the lease's keys need is on record with it, and the sweepers of the next silo find it.
        var host = leases.HostOf(NoAlarm.Instance) with { Cleaner = null, Background = TaskScheduler.Default };
        return new LeaseKeeper(resource, host, leases.Store).Submit(release)!;
    }

    // These keepers answer one call, and the next silo's sweepers find what becomes due.
    private sealed class NoAlarm : IKeeperAlarm
    {
        public static readonly NoAlarm Instance = new();

        public void Set(Keeper keeper, TimeSpan at)
        {
        }
    }
}
