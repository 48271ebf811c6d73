using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Hosts watches of prefixes, which end with its activation.</summary>
internal abstract class PrefixGrain(IGrainContext context) : IGrainBase, IDrainable, IDisposable
{
    private readonly CancellationTokenSource _gone = new();

    public IGrainContext GrainContext { get; } = context;

    // Orleans has the enumeration cancelled by the caller's token already.
    protected CancellationToken Gone => _gone.Token;

    public void Drain() => _gone.Cancel();

    public void Dispose() => _gone.Dispose();
}

/// <summary>Publishes the changes that the keepers of one silo store. Its key is the silo's address.</summary>
[LeaseGrainType("silo-watch"), SiloAddressPlacement, Reentrant, Immovable]
internal sealed class SiloWatchGrain(IGrainContext context, LeaseSilo silo) : PrefixGrain(context), ISiloWatchGrain
{
    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken) =>
        EventBatches.Of(Task.FromResult<LeaseResult<LeaseWatch>>(silo.Prefixes.Start(prefix)), Gone);
}

/// <summary>Merges the events of all silos for one caller, on the caller's silo.</summary>
[LeaseGrainType("prefix-watch"), PreferLocalPlacement, Reentrant, Immovable, CollectionAgeLimit(Minutes = 2)]
internal sealed class PrefixWatchGrain(
    IGrainContext context, IGrainFactory grains, IClusterMembershipService membership) : PrefixGrain(context), IPrefixWatchGrain
{
    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken) =>
        EventBatches.Of(StartAsync(prefix), Gone);

    private async Task<LeaseResult<LeaseWatch>> StartAsync(string prefix) =>
        RequestChecks.Check(new WatchRequest { Prefix = prefix }) is { } refusal
            ? refusal
            : await ClusterPrefixWatch.StartAsync(
                silo => grains.GetGrain<ISiloWatchGrain>(silo.ToParsableString()).WatchAsync(prefix, CancellationToken.None), membership);
}

/// <summary>What a watch of a prefix asks of each silo.</summary>
[Alias("OrleansLeases.ISiloWatchGrain"), DefaultGrainType("silo-watch")]
internal interface ISiloWatchGrain : IGrainWithStringKey
{
    /// <summary>Watches the changes that this silo's keepers store from now on.</summary>
    /// <param name="prefix">What the names begin with.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The events; it ends where some may have been missed.</returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken);
}
