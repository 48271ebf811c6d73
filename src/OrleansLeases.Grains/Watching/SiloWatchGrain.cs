using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>Hosts watches of prefixes, which end with its activation.</summary>
internal abstract class PrefixGrain(IGrainContext context) : IGrainBase, IDeparting, IDisposable
{
    private readonly CancellationTokenSource _gone = new();

    public IGrainContext GrainContext { get; } = context;

    // Orleans has the enumeration cancelled by the caller's token already.
    protected CancellationToken Gone => _gone.Token;

    public void Depart() => _gone.Cancel();

    public void Dispose() => _gone.Dispose();
}

/// <summary>Tells what the keepers of one silo store. Its key is the silo's address.</summary>
[WhereLeasesAre("silo-watch"), OnSilo, Reentrant, Immovable]
internal sealed class SiloWatchGrain(IGrainContext context, LeaseSilo silo) : PrefixGrain(context), ISiloWatchGrain
{
    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken) =>
        Portions.Of(Task.FromResult<LeaseResult<LeaseWatch>>(silo.Prefixes.Start(prefix)), Gone);
}

/// <summary>Merges what the silos of the cluster tell, for one caller and where that is.</summary>
[WhereLeasesAre("prefix-watch"), PreferLocalPlacement, Reentrant, Immovable, CollectionAgeLimit(Minutes = 2)]
internal sealed class PrefixWatchGrain(
    IGrainContext context, IGrainFactory grains, IClusterMembershipService membership) : PrefixGrain(context), IPrefixWatchGrain
{
    public IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken) =>
        Portions.Of(StartAsync(prefix), Gone);

    private async Task<LeaseResult<LeaseWatch>> StartAsync(string prefix) =>
        RequestChecks.Check(new WatchRequest { Prefix = prefix }) is { } refusal
            ? refusal
            : await MergedWatch.StartAsync(prefix, grains, membership);
}

/// <summary>What a watch of a prefix asks of each silo.</summary>
[Alias("OrleansLeases.ISiloWatchGrain"), DefaultGrainType("silo-watch")]
internal interface ISiloWatchGrain : IGrainWithStringKey
{
    /// <summary>Tells of the changes that this silo's keepers store from now on.</summary>
    /// <param name="prefix">Of the names that begin so.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The events; it ends where some may have been missed.</returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken);
}
