using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Orleans.Runtime;
using OrleansLeases.Core;
using OrleansLeases.Grains.Tests.Hosting;

namespace OrleansLeases.Grains.Tests;

/// <summary>When a watch of a prefix can no longer tell that it misses nothing.</summary>
public sealed class ClusterPrefixWatchTests
{
    private static readonly SiloAddress Here = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress Other = SiloAddress.New(IPAddress.Loopback, 2, 1);

    [Theory]
    [InlineData(SiloStatus.Active)]
    [InlineData(SiloStatus.ShuttingDown)]
    [InlineData(SiloStatus.Dead)]
    public async Task Watch_OnceItsSiloHearsOfOneThatMayHaveStoredChanges_Ends(SiloStatus status)
    {
        var members = new Members(1, (Here, SiloStatus.Active));
        await using var watch = await StartAsync(members);
        var next = watch.MoveNextAsync();

        members.Hear(2, (Here, SiloStatus.Active), (Other, status));

        Assert.False(await next.AsTask().WaitAsync(Calls.WaitTimeout));
    }

    [Fact]
    public async Task Watch_WhoseSilosStay_GoesOn()
    {
        var members = new Members(1, (Here, SiloStatus.Active), (Other, SiloStatus.Dead));
        var prefixes = new PrefixWatchers();
        await using var watch = await StartAsync(members, prefixes);
        var next = watch.MoveNextAsync();

        members.Hear(2, (Here, SiloStatus.Active), (Other, SiloStatus.Dead));
        await members.AreHeardAsync();
        prefixes.Publish("a", new OneChange(), after: 0);

        Assert.True(await next.AsTask().WaitAsync(Calls.WaitTimeout));
    }

    private static async Task<IAsyncEnumerator<WatchEvent>> StartAsync(Members members, PrefixWatchers? prefixes = null)
    {
        prefixes ??= new();
        var started = await ClusterPrefixWatch.StartAsync(
            _ => EventBatches.Of(Task.FromResult<LeaseResult<LeaseWatch>>(prefixes.Start(""))), members);
        return started.Value.GetAsyncEnumerator();
    }

    private sealed class OneChange : IHistory
    {
        public long First => 1;

        public long Last => 1;

        public IEnumerable<WatchEvent> After(string name, long sequence) =>
        [
            new WatchEvent.KeyChanged(new() { Key = name, Version = 1, Kind = KeyEventKind.KeyPut, At = DateTimeOffset.UnixEpoch }),
        ];
    }

    private sealed class Members : IClusterMembershipService
    {
        private readonly Channel<ClusterMembershipSnapshot> _updates = Channel.CreateUnbounded<ClusterMembershipSnapshot>();

        public Members(long version, params (SiloAddress Silo, SiloStatus Status)[] members) => Hear(version, members);

        public ClusterMembershipSnapshot CurrentSnapshot { get; private set; } = null!;

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => _updates.Reader.ReadAllAsync();

        public void Hear(long version, params (SiloAddress Silo, SiloStatus Status)[] members)
        {
            CurrentSnapshot = new(
                members.ToImmutableDictionary(member => member.Silo, member => new ClusterMember(member.Silo, member.Status, "")),
                new(version));
            _updates.Writer.TryWrite(CurrentSnapshot);
        }

        public async Task AreHeardAsync()
        {
            while (_updates.Reader.Count > 0) await Task.Yield();
        }

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }
}
