using System.Runtime.CompilerServices;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// A watch of a prefix in the whole cluster: the merged events of every silo's keepers. It ends as soon as it cannot prove that no
/// event is missing or out of order; the watching caller then starts another one, which begins with resync.
/// </summary>
/// <remarks>
/// The silo whose keeper stored a change publishes its event. So none is missing while every silo that may have keepers has been
/// subscribed to from the beginning and is still the same process. Events of one name from two silos, after the grain moved or
/// from twin activations, may overtake each other on the way: their sequence numbers show it.
/// </remarks>
internal sealed class ClusterPrefixWatch : IDisposable
{
    // A watch that has seen more names than this ends, rather than remember their sequence numbers.
    // Decision prefix-watch-remembers-numbers.
    private const int MostNames = 100_000;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _gone = new();
    private readonly WatchBuffer _buffer = new();
    private readonly Dictionary<(Type Kind, string Name), long> _last = [];

    private ClusterPrefixWatch()
    {
    }

    /// <summary>Starts one.</summary>
    /// <param name="subscribe">Watches what the keepers of one silo store.</param>
    /// <param name="membership">The cluster's.</param>
    /// <param name="time">The clock of the time limit; the system's where left out.</param>
    /// <returns>The watch, once every silo is subscribed to; or the refusal of one that is not.</returns>
    public static async Task<LeaseResult<LeaseWatch>> StartAsync(
        Func<SiloAddress, IAsyncEnumerable<LeaseResult<WatchEvent[]>>> subscribe, IClusterMembershipService membership,
        TimeProvider? time = null)
    {
        var start = membership.CurrentSnapshot;
        var shares = await Task.WhenAll(
            from member in start.Members.Values
            where member.Status == SiloStatus.Active
            orderby member.SiloAddress
            select GrainWatch.StartAsync(() => subscribe(member.SiloAddress), StartTimeout, time));
        if (shares.Select(share => share.Refusal).OfType<Refusal>().FirstOrDefault() is { } refusal)
        {
            foreach (var share in shares)
                if (share.TryGetValue(out var started, out _)) started.Dispose();
            return new Refusal.Unavailable(
                RetryAfter,
                $"A silo does not answer, so changes would be missed; ask again once the cluster has "
                    + $"noticed. ({refusal.Detail})");
        }

        var merged = new ClusterPrefixWatch();
        _ = Background.Run(() => merged.FollowAsync(membership, start));
        foreach (var share in shares) _ = Background.Run(() => merged.TakeAsync(share.Value));
        return new LeaseWatch(merged.ReadAsync(), merged);
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _buffer.Dispose();
        _gone.Cancel();
    }

    // A silo that is leaving may store changes until it is gone, and their events no longer arrive.
    private static HashSet<SiloAddress> HostsIn(ClusterMembershipSnapshot snapshot) =>
    [
        .. from member in snapshot.Members.Values
           where member.Status is SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping
           select member.SiloAddress,
    ];

    // One that came and went in between may have stored changes as well.
    private static bool HaveOthersHosted(ClusterMembershipSnapshot start, ClusterMembershipSnapshot now) =>
        !HostsIn(start).SetEquals(HostsIn(now))
        || now.Members.Values.Any(
            member => member.Status == SiloStatus.Dead && start.GetSiloStatus(member.SiloAddress) != SiloStatus.Dead);

    private async IAsyncEnumerable<WatchEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var next in _buffer.ReadAllAsync(cancellationToken)) yield return next;
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
            await foreach (var next in share.WithCancellation(_gone.Token))
                if (!Offer(next)) break;
        }
        catch (Exception)
        {
            // However it ended, later events of this silo are missing.
        }

        _buffer.CutOff();
    }

    private async Task FollowAsync(IClusterMembershipService membership, ClusterMembershipSnapshot start)
    {
        try
        {
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(_gone.Token))
                if (HaveOthersHosted(start, snapshot)) break;
        }
        catch (Exception)
        {
            // The silo is going down, or the watch is over.
        }

        _buffer.CutOff();
    }

    private bool Offer(WatchEvent next)
    {
        var (name, number) = next switch
        {
            WatchEvent.LeaseChanged { Lease: var change } => (change.Resource!, change.Sequence),
            WatchEvent.KeyChanged { Key: var change } => (change.Key, change.Version),
            _ => throw new ArgumentOutOfRangeException(nameof(next), next, "Silos publish changes only."),
        };
        lock (_gate)
        {
            if (_last.TryGetValue((next.GetType(), name), out var last) ? number != last + 1 : _last.Count == MostNames) return false;
            _last[(next.GetType(), name)] = number;
            return _buffer.Offer(next);
        }
    }
}
