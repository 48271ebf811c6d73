using System.Diagnostics.CodeAnalysis;
using Medallion.Threading;

namespace OrleansLeases.DistributedLocks.Internal;

/// <summary>Passes handles on as those of the interfaces. What the call that brings them throws, it throws at once.</summary>
internal static class Handles
{
    [SuppressMessage("Reliability", "CA2012", Justification = "Awaited once, here.")]
    public static async ValueTask<IDistributedSynchronizationHandle?> Of(ValueTask<LeaseDistributedSynchronizationHandle?> handle) =>
        await handle.ConfigureAwait(false);

    [SuppressMessage("Reliability", "CA2012", Justification = "Awaited once, here.")]
    public static async ValueTask<IDistributedSynchronizationHandle> OfAcquired(ValueTask<LeaseDistributedSynchronizationHandle> handle) =>
        await handle.ConfigureAwait(false);
}
