using Orleans.LeaseProviders;

namespace OrleansLeases.Grains.Tests.Streaming;

/// <summary>Silos of before, of the time of the move and of after it, side by side two by two: no queue has two readers.</summary>
public sealed class BothQueueLeasesTests
{
    private const string Category = "queues";
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(1);

    private readonly Provider _former = new();
    private readonly Provider _next = new();

    private BothQueueLeases Both => new(_former, _next);

    [Fact]
    public async Task Queue_IsRefused_ToAnyoneWhoSharesAProviderWithItsReader()
    {
        (ILeaseProvider, ILeaseProvider)[] sideBySide = [(_former, Both), (Both, _former), (Both, Both), (Both, _next), (_next, Both)];
        foreach (var (reader, other) in sideBySide)
        {
            var read = Assert.Single(await reader.Acquire(Category, [new("q1", Length)]));
            Assert.Equal(ResponseCode.OK, read.StatusCode);
            Assert.Equal(ResponseCode.LeaseNotAvailable, Assert.Single(await other.Acquire(Category, [new("q1", Length)])).StatusCode);

            // What was refused left nothing behind.
            Assert.Equal(ResponseCode.OK, Assert.Single(await reader.Renew(Category, [read.AcquiredLease!])).StatusCode);
            await reader.Release(Category, [read.AcquiredLease!]);
            Assert.Empty(_former.Held.Concat(_next.Held));
        }
    }

    [Fact]
    public async Task Queues_OfOneCall_AreGrantedEachByItself()
    {
        await _former.Acquire(Category, [new("q1", Length)]);
        await _next.Acquire(Category, [new("q2", Length)]);

        var results = await Both.Acquire(Category, [new("q1", Length), new("q2", Length), new("q3", Length)]);

        Assert.Equal(
            [ResponseCode.LeaseNotAvailable, ResponseCode.LeaseNotAvailable, ResponseCode.OK], results.Select(result => result.StatusCode));
        Assert.Equal(["q1", "q3"], _former.Held.Order());
        Assert.Equal(["q2", "q3"], _next.Held.Order());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Queue_ThatOneProviderHasTakenAway_IsLost_AndTheOtherGivesItUp(bool formerOne)
    {
        var read = Assert.Single(await Both.Acquire(Category, [new("q1", Length)]));
        (formerOne ? _former : _next).TakeAway("q1");

        var renewed = Assert.Single(await Both.Renew(Category, [read.AcquiredLease!]));

        Assert.NotEqual(ResponseCode.OK, renewed.StatusCode);
        Assert.Empty(_former.Held.Concat(_next.Held));
    }

    [Fact]
    public async Task Provider_ThatFails_LeavesNothingHeldByTheOther()
    {
        _next.Fails = true;

        await Assert.ThrowsAsync<InvalidOperationException>(() => Both.Acquire(Category, [new("q1", Length)]));

        Assert.Empty(_former.Held);
    }

    [Fact]
    public async Task Providers_ThatBothFail_TellTheErrorThatCameFirst()
    {
        (_next.Fails, _former.FailsToRelease) = (true, true);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => Both.Acquire(Category, [new("q1", Length)]));

        Assert.Equal("away", error.Message);
    }

    [Fact]
    public async Task Provider_ThatFailsToRelease_IsNoReasonForTheOtherNotTo()
    {
        var read = Assert.Single(await Both.Acquire(Category, [new("q1", Length)]));
        _next.FailsToRelease = true;

        await Assert.ThrowsAsync<InvalidOperationException>(() => Both.Release(Category, [read.AcquiredLease!]));

        Assert.Empty(_former.Held);
    }

    // What was granted together is told, or nobody would release it.
    [Fact]
    public async Task Provider_ThatFailsToReleaseWhatTheOtherRefused_HidesNoGrant()
    {
        await _next.Acquire(Category, [new("q1", Length)]);
        _former.FailsToRelease = true;

        var results = await Both.Acquire(Category, [new("q1", Length), new("q2", Length)]);
        _next.FailsToRelease = true;
        _former.TakeAway("q2");
        var renewed = await Both.Renew(Category, [results[1].AcquiredLease!]);

        Assert.Equal([ResponseCode.LeaseNotAvailable, ResponseCode.OK], results.Select(result => result.StatusCode));
        Assert.Equal(ResponseCode.InvalidToken, Assert.Single(renewed).StatusCode);
    }

    [Fact]
    public async Task Provider_WithoutTokens_IsAsGoodAsAnother()
    {
        _former.HasTokens = false;
        var read = Assert.Single(await Both.Acquire(Category, [new("q1", Length)]));

        var renewed = Assert.Single(await Both.Renew(Category, [read.AcquiredLease!]));
        await Both.Release(Category, [renewed.AcquiredLease!]);

        Assert.Empty(_former.Held.Concat(_next.Held));
    }

    /// <summary>Leases in memory, with tokens of any form.</summary>
    private sealed class Provider : ILeaseProvider
    {
        private readonly Dictionary<string, string?> _tokens = [];
        private int _granted;

        public IEnumerable<string> Held => _tokens.Keys;

        public bool Fails { get; set; }

        public bool FailsToRelease { get; set; }

        public bool HasTokens { get; set; } = true;

        public void TakeAway(string queue) => _tokens.Remove(queue);

        public Task<AcquireLeaseResult[]> Acquire(string category, LeaseRequest[] leaseRequests) =>
            Fails ? throw new InvalidOperationException("away") : Task.FromResult(Array.ConvertAll(leaseRequests, request =>
            {
                var token = HasTokens ? $"3:{++_granted}:" : null;
                return _tokens.TryAdd(request.ResourceKey, token)
                    ? new AcquireLeaseResult(new(request.ResourceKey, request.Duration, token, DateTime.UnixEpoch), ResponseCode.OK, null!)
                    : new AcquireLeaseResult(null!, ResponseCode.LeaseNotAvailable, null!);
            }));

        public Task<AcquireLeaseResult[]> Renew(string category, AcquiredLease[] aquiredLeases) =>
            Task.FromResult(Array.ConvertAll(aquiredLeases, lease => Has(lease)
                ? new AcquireLeaseResult(lease, ResponseCode.OK, null!)
                : new AcquireLeaseResult(null!, ResponseCode.InvalidToken, null!)));

        public Task Release(string category, AcquiredLease[] aquiredLeases)
        {
            if (FailsToRelease) throw new InvalidOperationException("not released");
            foreach (var lease in aquiredLeases)
                if (Has(lease)) _tokens.Remove(lease.ResourceKey);
            return Task.CompletedTask;
        }

        private bool Has(AcquiredLease lease) =>
            _tokens.TryGetValue(lease.ResourceKey, out var token) && (token ?? "") == (lease.Token ?? "");
    }
}
