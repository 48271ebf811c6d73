using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans.LeaseProviders;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Streaming;

/// <summary>Orleans' lease provider: what each of its codes means here.</summary>
public sealed class StreamQueueLeasesTests
{
    private const string Category = "QueueBalancer";

    [Fact]
    public async Task Acquire_OfFreeQueues_GrantsThemToTheSilo()
    {
        await using var cluster = await StartAsync();
        var results = await Provider(cluster).Acquire(Category, [new("q-0", Ttl), new("q-1", 2 * Ttl)]);

        Assert.All(results, result => Assert.Equal((ResponseCode.OK, null), (result.StatusCode, result.FailureException)));
        Assert.Equal(["q-0", "q-1"], results.Select(result => result.AcquiredLease!.ResourceKey));
        Assert.Equal([Ttl, 2 * Ttl], results.Select(result => result.AcquiredLease!.Duration));
        Assert.All(results, result => Assert.Equal(cluster.Time.GetUtcNow().UtcDateTime, result.AcquiredLease!.StartTimeUtc));
        var held = (await cluster.Leases.ListAsync(new ListLeasesRequest { Prefix = StreamQueueLeases.Prefix })).Value.Leases;
        Assert.Equal(["stream-queues/QueueBalancer/q-0", "stream-queues/QueueBalancer/q-1"], held.Select(lease => lease.Resource));
        Assert.All(
            held.Zip(results),
            pair => Assert.Equal($"{pair.First.LastToken}@{pair.First.Holders[0].Owner}", pair.Second.AcquiredLease!.Token));
    }

    [Fact]
    public async Task Acquire_OfAQueueThatIsHeld_IsNotAvailable_AndTheOthersAreGranted()
    {
        await using var cluster = await StartAsync();
        var results = await Provider(cluster).Acquire(Category, [new("q-0", Ttl), new("q-0", Ttl), new("q-1", Ttl)]);

        var refused = Assert.Single(results, result => result.StatusCode == ResponseCode.LeaseNotAvailable);
        Assert.Equal(("q-0", null), (refused.AcquiredLease!.ResourceKey, refused.AcquiredLease.Token));
        Assert.NotNull(refused.FailureException);
        Assert.Equal(
            ["q-0", "q-1"],
            results.Where(result => result.StatusCode == ResponseCode.OK).Select(result => result.AcquiredLease!.ResourceKey));
    }

    [Fact]
    public async Task Acquire_BeyondTheBounds_SaysSo_AndAsksForNothing()
    {
        await using var cluster = await StartAsync();
        var error = await Assert.ThrowsAsync<ArgumentException>(
            () => Provider(cluster).Acquire(Category, [new("q-0", Ttl), new("q-1", TimeSpan.FromDays(2))]));

        Assert.Contains("stream-queues/QueueBalancer/q-1", error.Message, StringComparison.Ordinal);
        Assert.Contains("ttlMs", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => Provider(cluster).Acquire("", [new("q-0", Ttl)]));
        Assert.Empty((await cluster.Leases.ListAsync(new ListLeasesRequest { State = LeaseFilter.Any })).Value.Leases);
    }

    [Fact]
    public async Task Names_ThatCouldBeTakenForEachOther_AreDifferentQueues()
    {
        await using var cluster = await StartAsync();
        (string Category, string Key)[] names = [("a/b", "c"), ("a", "b/c"), ("a", "b%2Fc"), ("a%2Fb", "c")];
        foreach (var (category, key) in names)
            Assert.Equal(ResponseCode.OK, Assert.Single(await Provider(cluster).Acquire(category, [new(key, Ttl)])).StatusCode);
    }

    [Fact]
    public async Task Renew_ExtendsALeaseByItsDuration_AndKeepsItsToken()
    {
        await using var cluster = await StartAsync();
        var lease = await AcquireAsync(Provider(cluster), "q-0");
        cluster.Time.Advance(Ttl / 2);
        var renewed = Assert.Single(await Provider(cluster).Renew(Category, [lease]));

        Assert.Equal(ResponseCode.OK, renewed.StatusCode);
        Assert.Equal(
            (lease.Token, Ttl, cluster.Time.GetUtcNow().UtcDateTime),
            (renewed.AcquiredLease!.Token, renewed.AcquiredLease.Duration, renewed.AcquiredLease.StartTimeUtc));
        cluster.Time.Advance(Ttl * 0.9);
        Assert.Equal(ResponseCode.OK, Assert.Single(await Provider(cluster).Renew(Category, [renewed.AcquiredLease])).StatusCode);
    }

    [Fact]
    public async Task Renew_OfWhatHasEndedOrNeverWas_IsAnInvalidToken_AndTheOthersAreRenewed()
    {
        await using var cluster = await StartAsync();
        var provider = Provider(cluster);
        var ended = await AcquireAsync(provider, "q-0");
        cluster.Time.Advance(Ttl);
        var next = await AcquireAsync(provider, "q-0");
        AcquiredLease[] leases =
            [new("q-2"), ended, next, new("q-1", Ttl, "blue", default), new("q-1", Ttl, "7@me", default), new("", Ttl, "7@me", default)];
        var results = await provider.Renew(Category, leases);

        Assert.Equal(leases.Select(lease => lease.ResourceKey), results.Select(result => result.AcquiredLease!.ResourceKey));
        Assert.Equal(ResponseCode.OK, results[2].StatusCode);
        Assert.All(
            results.Where((_, i) => i != 2),
            result => Assert.Equal((ResponseCode.InvalidToken, null), (result.StatusCode, result.AcquiredLease!.Token)));
        Assert.All(results.Where((_, i) => i != 2), result => Assert.NotNull(result.FailureException));
    }

    [Fact]
    public async Task Release_FreesTheQueue_AndNotOneThatSomebodyElseHolds()
    {
        await using var cluster = await StartAsync();
        var provider = Provider(cluster);
        var first = await AcquireAsync(provider, "q-0");
        await provider.Release(Category, [first, new("q-1"), new("q-2", Ttl, "blue", default)]);
        var second = await AcquireAsync(provider, "q-0");
        await provider.Release(Category, [first]);

        Assert.Equal(ResponseCode.OK, Assert.Single(await provider.Renew(Category, [second])).StatusCode);
        Assert.Equal(ResponseCode.InvalidToken, Assert.Single(await provider.Renew(Category, [first])).StatusCode);
    }

    [Fact]
    public async Task Acquire_WhoseOutcomeIsUnknown_IsTransient_AndTheNextOneFindsTheGrant()
    {
        await using var cluster = await Cluster.InMemoryAsync(silo => FaultyStorage.Install(silo.UseLeasesForStreamQueues()));
        var provider = Provider(cluster);
        FaultyStorage.Of(cluster.Silo).Writes.Enqueue(async write =>
        {
            await write();
            throw new TimeoutException("The store did not answer.");
        });
        var failed = Assert.Single(await provider.Acquire(Category, [new("q-0", Ttl)]));
        Assert.Equal(
            (ResponseCode.TransientFailure, "q-0", null),
            (failed.StatusCode, failed.AcquiredLease!.ResourceKey, failed.AcquiredLease.Token));
        Assert.NotNull(failed.FailureException);

        cluster.Time.Advance(Ttl / 2);
        var found = Assert.Single(await provider.Acquire(Category, [new("q-0", Ttl)]));
        // The grant that was made then, with its full time from now on.
        Assert.Equal((ResponseCode.OK, Ttl), (found.StatusCode, found.AcquiredLease!.Duration));
        Assert.Single(
            (await cluster.Leases.HistoryAsync("stream-queues/QueueBalancer/q-0")).Value.Events,
            change => change.Kind == LeaseEventKind.Granted);
        Assert.Equal(ResponseCode.LeaseNotAvailable, Assert.Single(await provider.Acquire(Category, [new("q-0", Ttl)])).StatusCode);
    }

    [Fact]
    public async Task Acquire_WhoseOutcomeWasUnknown_IsAskedForAnew_WhereThatGrantHasEnded()
    {
        await using var cluster = await Cluster.InMemoryAsync(silo => FaultyStorage.Install(silo.UseLeasesForStreamQueues()));
        var provider = Provider(cluster);
        FaultyStorage.Of(cluster.Silo).Writes.Enqueue(async write =>
        {
            await write();
            throw new TimeoutException("The store did not answer.");
        });
        await provider.Acquire(Category, [new("q-0", Ttl)]);
        cluster.Time.Advance(2 * Ttl);
        var lease = await AcquireAsync(provider, "q-0");
        Assert.Equal(Ttl, lease.Duration);
    }

    [Fact]
    public async Task Renew_ThatFailsOnce_IsRepeated_AndOneThatFailsAgainIsTransient()
    {
        await using var cluster = await StartAsync();
        var leases = new FailingRenewals(cluster.Leases);
        var provider = new StreamQueueLeases(
            leases, new LeaseLimits { MaxBatch = 2 }, "me", cluster.Time, NullLogger<StreamQueueLeases>.Instance);
        AcquiredLease[] held =
            [await AcquireAsync(provider, "q-0"), await AcquireAsync(provider, "q-1"), await AcquireAsync(provider, "q-2")];

        leases.Failures["stream-queues/QueueBalancer/q-1"] = 1;
        Assert.All(await provider.Renew(Category, held), result => Assert.Equal(ResponseCode.OK, result.StatusCode));

        leases.Failures["stream-queues/QueueBalancer/q-1"] = 2;
        leases.Failures["stream-queues/QueueBalancer/q-2"] = 1;
        var results = await provider.Renew(Category, held);
        Assert.Equal([ResponseCode.OK, ResponseCode.TransientFailure, ResponseCode.OK], results.Select(result => result.StatusCode));
        Assert.Equal(("q-1", null), (results[1].AcquiredLease!.ResourceKey, results[1].AcquiredLease!.Token));
        // It is still held, so whoever asks again with the same token has it.
        Assert.Equal(ResponseCode.OK, Assert.Single(await provider.Renew(Category, [held[1]])).StatusCode);
    }

    [Fact]
    public async Task Calls_WhileTheServiceIsGone_AreTransient_AndAReleaseIsNoError()
    {
        await using var cluster = await StartAsync();
        var provider = Provider(cluster);
        var lease = await AcquireAsync(provider, "q-0");
        await cluster.StopSiloAsync();

        Assert.Equal(ResponseCode.TransientFailure, Assert.Single(await provider.Acquire(Category, [new("q-1", Ttl)])).StatusCode);
        Assert.Equal(ResponseCode.TransientFailure, Assert.Single(await provider.Renew(Category, [lease])).StatusCode);
        await provider.Release(Category, [lease]);
    }

    [Fact]
    public async Task OneStreamProvider_CanHaveThemAlone()
    {
        await using var cluster = await Cluster.InMemoryAsync(silo => silo.UseLeasesForStreamQueues("orders"));
        Assert.IsType<StreamQueueLeases>(cluster.Silo.GetRequiredKeyedService<ILeaseProvider>("orders"));
        Assert.Null(cluster.Silo.GetKeyedService<ILeaseProvider>("others"));
        Assert.Null(cluster.Silo.GetService<ILeaseProvider>());
    }

    private static Task<Cluster> StartAsync() => Cluster.InMemoryAsync(silo => silo.UseLeasesForStreamQueues());

    private static ILeaseProvider Provider(Cluster cluster) => cluster.Silo.GetRequiredService<ILeaseProvider>();

    private static async Task<AcquiredLease> AcquireAsync(ILeaseProvider provider, string key)
    {
        var result = Assert.Single(await provider.Acquire(Category, [new(key, Ttl)]));
        Assert.Equal(ResponseCode.OK, result.StatusCode);
        return result.AcquiredLease!;
    }

    /// <summary>Renews all but what a test wants to fail, so many times.</summary>
    private sealed class FailingRenewals(ILeaseService inner) : ForwardingLeases(inner)
    {
        public Dictionary<string, int> Failures { get; } = [];

        public override async ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
            RenewBatchRequest request, CancellationToken cancellationToken = default)
        {
            Assert.InRange(request.Leases.Count, 1, 2);
            var reply = (await base.RenewBatchAsync(request, cancellationToken)).Value;
            return reply with
            {
                Results =
                [
                    .. request.Leases.Zip(
                        reply.Results,
                        (lease, result) => Fails(lease.Resource) ? new Refusal.OutcomeUnknown(null, "It did not answer.") : result),
                ],
            };
        }

        private bool Fails(string resource)
        {
            if (Failures.GetValueOrDefault(resource) == 0) return false;
            Failures[resource]--;
            return true;
        }
    }
}
