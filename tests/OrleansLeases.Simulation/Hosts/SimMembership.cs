using System.Collections.Immutable;
using System.Net;
using System.Runtime.CompilerServices;
using Orleans.Runtime;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Hosts;

/// <summary>Which hosts are members of the cluster. Each hears of that late: of a crash once the others have noticed.</summary>
internal sealed class SimMembership(Scheduler scheduler, SimHost?[] hosts)
{
    private ImmutableDictionary<SiloAddress, ClusterMember> _members = ImmutableDictionary<SiloAddress, ClusterMember>.Empty;
    private long _version;

    public static int PlaceOf(SiloAddress silo) => silo.Endpoint.Port - 1;

    public static SiloAddress AddressOf(int place, int run) => SiloAddress.New(IPAddress.Loopback, 1 + place, run);

    /// <summary>A host starts: whoever had its place is gone, and it knows the members itself.</summary>
    public void Join(SimHost host)
    {
        _members = _members.SetItems(
            from old in _members.Keys
            where PlaceOf(old) == host.Place
            select KeyValuePair.Create(old, Member(old, SiloStatus.Dead)));
        Set(host.Address, SiloStatus.Active);
        host.Members.Hear(Snapshot());
    }

    /// <summary>A host is being shut down.</summary>
    public void Leave(SimHost host) => Set(host.Address, SiloStatus.ShuttingDown);

    /// <summary>A host is gone: it says so itself where it was shut down, and is missed after a while where it crashed.</summary>
    public void Lose(SimHost host)
    {
        if (!_members.TryGetValue(host.Address, out var member)) return;
        var noticed = member.Status == SiloStatus.Active
            ? scheduler.Dice.Skewed(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30))
            : TimeSpan.Zero;
        scheduler.After(noticed, () =>
        {
            if (_members[host.Address].Status != SiloStatus.Dead) Set(host.Address, SiloStatus.Dead);
        });
    }

    /// <summary>The others hear that a host is dead, which goes on and knows nothing of it.</summary>
    public void TakeForDead(SimHost host)
    {
        scheduler.Trace.Add(scheduler.Now, "taken for dead", host.Process.Name);
        host.Process.IsTakenForDead = true;
        Set(host.Address, SiloStatus.Dead);
    }

    private void Set(SiloAddress silo, SiloStatus status)
    {
        _members = _members.SetItem(silo, Member(silo, status));
        _version++;
        var snapshot = Snapshot();
        foreach (var host in hosts.OfType<SimHost>().Where(host => !host.IsTakenForDead))
        {
            var dice = scheduler.Dice;
            // What is not gossiped is read from the table some time.
            var delay = dice.OneIn(4)
                ? dice.Skewed(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(30))
                : dice.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(100));
            scheduler.After(delay, () => host.Process.Run(() => host.Members.Hear(snapshot)));
        }
    }

    private static ClusterMember Member(SiloAddress silo, SiloStatus status) => new(silo, status, Cluster.PlaceName(PlaceOf(silo)));

    private ClusterMembershipSnapshot Snapshot() => new(_members, new(_version));
}

/// <summary>The members as one host knows them.</summary>
internal sealed class KnownMembers : IClusterMembershipService
{
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } =
        new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, new(-1));

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => UpdatesAsync();

    /// <summary>Hears of a change, unless a later one was heard of before.</summary>
    public void Hear(ClusterMembershipSnapshot snapshot)
    {
        if (snapshot.Version <= CurrentSnapshot.Version) return;
        CurrentSnapshot = snapshot;
        var heard = _next;
        _next = new(TaskCreationOptions.RunContinuationsAsynchronously);
        heard.SetResult();
    }

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

    public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();

    private async IAsyncEnumerable<ClusterMembershipSnapshot> UpdatesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var (next, known) = (_next.Task, CurrentSnapshot);
            yield return known;
            await next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
