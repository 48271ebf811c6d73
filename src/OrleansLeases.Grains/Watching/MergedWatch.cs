using System.Runtime.CompilerServices;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// A watch of a prefix in the whole cluster: what each silo tells of what its keepers store. It ends, as a whole, where it
/// cannot prove that nothing is missing or out of order; whoever goes on begins another, and says resync.
/// </summary>
/// <remarks>
/// Every stored change is told by the silo whose keeper stored it. So nothing is missing while every silo that may have
/// keepers was heard from the beginning, and is the same process still. What one name's keepers on two silos stored, after
/// it moved or as twins, may overtake each other on the way: the numbers of its changes show that.
/// </remarks>
internal sealed class MergedWatch : IDisposable
{
    // Beyond this many names the memory of their numbers is given up, and the watch with it. Decision prefix-watch-remembers-numbers.
    private const int MostNames = 100_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _gone = new();
    private readonly WatchBuffer _buffer = new();
    private readonly Dictionary<(Type Kind, string Name), long> _last = [];

    private MergedWatch()
    {
    }

    /// <summary>Starts one.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <param name="grains">The silo's.</param>
    /// <param name="membership">The cluster's.</param>
    /// <returns>The watch, once every silo is heard; or why one is not.</returns>
    public static async Task<LeaseResult<LeaseWatch>> StartAsync(string prefix, IGrainFactory grains, IClusterMembershipService membership)
    {
        var members = membership.CurrentSnapshot.Members.Values;
        var hosts = HostsIn(membership.CurrentSnapshot);
        var shares = await Task.WhenAll(
            from member in members
            where member.Status == SiloStatus.Active
            select GrainWatch.StartAsync(
                () => grains.GetGrain<ISiloWatchGrain>(member.SiloAddress.ToParsableString()).WatchAsync(prefix, CancellationToken.None),
                Patience));
        if (shares.Select(share => share.Refusal).OfType<Refusal>().FirstOrDefault() is { } refusal)
        {
            foreach (var share in shares)
                if (share.TryGetValue(out var started, out _)) started.Dispose();
            return new Refusal.Unavailable(
                RetryAfter,
                $"Not every silo can be heard, so that changes would be missed; ask again once the cluster has "
                    + $"noticed. ({refusal.Detail})");
        }

        var merged = new MergedWatch();
        _ = Background.Run(() => merged.FollowAsync(membership, hosts));
        foreach (var share in shares) _ = Background.Run(() => merged.TakeAsync(share.Value));
        return new LeaseWatch(merged.ReadAsync(), merged);
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _buffer.Dispose();
        _gone.Cancel();
    }

    // One that leaves may store something until it is gone, and is no longer heard by then.
    private static HashSet<SiloAddress> HostsIn(ClusterMembershipSnapshot snapshot) =>
    [
        .. from member in snapshot.Members.Values
           where member.Status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping
           select member.SiloAddress,
    ];

    private async IAsyncEnumerable<WatchEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var told in _buffer.ReadAllAsync(cancellationToken)) yield return told;
        }
        finally
        {
            Dispose();
        }
    }

    private async Task TakeAsync(LeaseWatch share)
    {
        try
        {
            await foreach (var told in share.WithCancellation(_gone.Token))
                if (!Offer(told)) break;
        }
        catch (Exception)
        {
            // However it ends, what comes after is missing.
        }

        _buffer.CutOff();
    }

    private async Task FollowAsync(IClusterMembershipService membership, HashSet<SiloAddress> hosts)
    {
        try
        {
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(_gone.Token))
                if (!hosts.SetEquals(HostsIn(snapshot))) break;
        }
        catch (Exception)
        {
            // The silo is going down, or the watch is over.
        }

        _buffer.CutOff();
    }

    private bool Offer(WatchEvent told)
    {
        var (name, number) = told switch
        {
            WatchEvent.LeaseChanged { Lease: var change } => (change.Resource!, change.Sequence),
            WatchEvent.KeyChanged { Key: var change } => (change.Key, change.Version),
            _ => throw new ArgumentOutOfRangeException(nameof(told), told, "Silos tell of changes only."),
        };
        lock (_gate)
        {
            if (_last.TryGetValue((told.GetType(), name), out var last) ? number != last + 1 : _last.Count == MostNames) return false;
            _last[(told.GetType(), name)] = number;
            return _buffer.Offer(told);
        }
    }
}
