using System.Diagnostics;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing.Telemetry;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>Whoever listens has every call of the process traced: not beside other tests.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TracedTests
{
    public const string Name = "Traced";
}

/// <summary>The spans of a call: one trace, through its wait and through the batch of the store.</summary>
[Collection(TracedTests.Name)]
public sealed class TraceTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private EmbeddedLeases _leases = null!;

    public async Task InitializeAsync() => _leases = await EmbeddedLeases.OpenAsync(_folder.Path);

    public async Task DisposeAsync()
    {
        await _leases.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Acquire_IsOneTrace_FromTheFrontToTheBatchOfTheStore()
    {
        using var spans = new Spans();

        var grant = await _leases.GrantAsync(By("alice"));

        await EndedAsync(spans, 5);
        Assert.Equal("test/leases.acquire/leases.keeper/leases.store.load", spans.PathOf("leases.store.load"));
        Assert.Equal("test/leases.acquire/leases.keeper/leases.store.save/leases.store.batch", spans.PathOf("leases.store.batch"));
        var front = spans.Ended.Single(span => span.OperationName == "leases.acquire");
        Assert.Equal(
            ("ok", R, grant.Token),
            (front.GetTagItem("leases.outcome"), front.GetTagItem("leases.name"), front.GetTagItem("leases.token")));
        Assert.DoesNotContain(spans.Ended, span => span.TagObjects.Any(tag => Equals(tag.Value, "alice")));
    }

    [Fact]
    public async Task Acquire_ThatWaits_HasItsWait_WhichLinksToWhatEndedIt()
    {
        var held = await _leases.GrantAsync(By("alice"));
        using var spans = new Spans();
        var waiting = await _leases.WaitInQueueAsync(By("bob"));
        ActivityContext release;
        using (var other = new Activity("other").Start())
        {
            release = other.Context;
            Assert.Null((await _leases.ReleaseAsync(held)).Refusal);
        }

        Assert.Null((await waiting.WaitAsync(WaitTimeout)).Refusal);

        // The keeper's span ends behind the response, and there is one of the release too.
        await UntilAsync(() => Task.FromResult(
            spans.Ended.Any(span => span.OperationName == "leases.queue")
                && !spans.PathOf("leases.queue").StartsWith('?')));
        Assert.Equal("test/leases.acquire/leases.keeper/leases.queue", spans.PathOf("leases.queue"));
        var queue = spans.Ended.Single(span => span.OperationName == "leases.queue");
        Assert.Equal("granted", queue.GetTagItem("leases.outcome"));
        Assert.Equal(release.TraceId, Assert.Single(queue.Links).Context.TraceId);
    }

    [Fact]
    public async Task Renewals_ThatShareABatch_AreLinkedFromIt()
    {
        using var spans = new Spans();
        // More at once than one batch of the writer: at least one has several.
        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => _leases.GrantAsync(By("alice", $"jobs/{i}"))));

        await UntilAsync(() => Task.FromResult(spans.Ended.Count(span => span.OperationName == "leases.keeper") == 64));
        var batches = spans.Ended.Where(span => span.OperationName == "leases.store.batch").ToList();
        Assert.Equal(64, batches.Sum(batch => (int)batch.GetTagItem("leases.batch.size")!));
        Assert.All(batches, batch => Assert.Equal((int)batch.GetTagItem("leases.batch.size")! - 1, batch.Links.Count()));
    }

    [Fact]
    public async Task Refusal_IsInTheSpan_AndAFaultIsAnError()
    {
        using var spans = new Spans();

        await _leases.GetKeyAsync("none");
        await _leases.DisposeAsync();
        await _leases.GetAsync(new GetLeaseRequest { Resource = R });

        await UntilAsync(() => Task.FromResult(spans.Ended.Any(span => span.OperationName == "leases.get")));
        var refused = spans.Ended.First(span => span.OperationName == "leases.get-key");
        var fault = spans.Ended.First(span => span.OperationName == "leases.get");
        Assert.Equal(("not-found", ActivityStatusCode.Unset), (refused.GetTagItem("leases.outcome"), refused.Status));
        Assert.Equal(("unavailable", ActivityStatusCode.Error), (fault.GetTagItem("leases.outcome"), fault.Status));
    }

    private static Task EndedAsync(Spans spans, int count) => UntilAsync(() => Task.FromResult(spans.Ended.Count >= count));
}
