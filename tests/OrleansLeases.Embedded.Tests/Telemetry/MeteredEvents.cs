using OrleansLeases.Embedded.Tests.Keys;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>What can happen, and which metrics move by how much.</summary>
/// <param name="Before">What happens before.</param>
/// <param name="Event">What happens.</param>
/// <param name="Moves">Which series moves, and by how much.</param>
internal sealed record MeteredEvent(Func<MeteredEngine, Task> Before, Func<MeteredEngine, Task> Event, string[] Moves);

/// <summary>The events of the meter <c>OrleansLeases</c>, one for each thing that it counts.</summary>
internal static class MeteredEvents
{
    private const string Saved = "leases.store.duration{ok,save} +1";
    private const string Loaded = "leases.store.duration{ok,load} +1";

    public static SortedDictionary<string, MeteredEvent> All { get; } = new(StringComparer.Ordinal)
    {
        ["acquire"] = new(Nothing, engine => engine.GrantAsync(), [Call("acquire", "ok"), "leases.held +1", Loaded, Saved]),
        ["acquire refused"] = new(
            engine => engine.GrantAsync(), engine => engine.Leases.RefusedAsync<Refusal.Held>(By("bob")), [Call("acquire", "held")]),
        ["renewal in memory"] = new(
            engine => engine.GrantAsync(), engine => engine.Leases.RenewAsync(engine.Grant),
            [Call("renew", "ok"), "leases.renewals{memory} +1"]),
        ["renewal stored"] = new(
            engine => engine.GrantAsync(), engine => engine.Leases.RenewAsync(engine.Grant, Seconds(40)),
            [Call("renew", "ok"), "leases.renewals{stored} +1", Saved]),
        ["renewal refused"] = new(
            engine => engine.GrantAsync(), engine => engine.Leases.RenewAsync(engine.Grant with { Owner = "bob" }),
            [Call("renew", "not-holder"), "leases.renewals{refused} +1"]),
        ["renewals of a batch"] = new(
            engine => engine.GrantAsync(), RenewBatchAsync,
            [
                Call("renew-batch", "ok"), "leases.batch.size{renew-batch} +1", "leases.renewals{memory} +1",
                "leases.renewals{refused} +1",
            ]),
        ["batch"] = new(
            engine => engine.GrantAsync(), BatchAsync, [Call("batch", "ok"), Call("get", "ok"), "leases.batch.size{batch} +1"]),
        ["release"] = new(
            engine => engine.GrantAsync(), engine => engine.Leases.ReleaseAsync(engine.Grant),
            [Call("release", "ok"), .. Ends("released"), "leases.held -1", Saved]),
        ["expiry"] = new(
            engine => engine.GrantAsync(), engine => AdvanceAsync(engine, 30),
            [.. Ends("expired"), "leases.expiry.delay +1", "leases.held -1", Saved]),
        ["transfer"] = new(
            engine => engine.GrantAsync(),
            engine => engine.Leases.TransferAsync(
                new() { Resource = R, Owner = "alice", Token = engine.Grant.Token, NewOwner = "bob" }).AsTask(),
            [Call("transfer", "ok"), .. Ends("transferred"), Saved]),
        ["break"] = new(
            engine => engine.GrantAsync(),
            engine => engine.Leases.BreakAsync(new() { Resource = R, Grace = TimeSpan.Zero, Force = true, Reason = "it hangs" }).AsTask(),
            [Call("break", "ok"), .. Ends("broken"), "leases.held -1", Saved]),
        ["wait begun"] = new(engine => engine.GrantAsync(), engine => engine.WaitAsync(), ["leases.queue.waiters +1"]),
        ["wait granted"] = new(
            WaitAsync, ReleaseToWaiterAsync,
            [
                Call("acquire", "ok"), Call("release", "ok"), .. Ends("released"), "leases.queue.duration{granted} +1",
                "leases.queue.waiters -1", Saved,
            ]),
        ["wait over"] = new(WaitAsync, WaitIsOverAsync, [Call("acquire", "held")]),
        ["wait given up"] = new(WaitAsync, LeaveAsync, [Call("acquire", "cancelled")]),
        ["place lost"] = new(
            async engine =>
            {
                await WaitAsync(engine);
                await LeaveAsync(engine);
            },
            engine => AdvanceAsync(engine, 5), ["leases.queue.duration{abandoned} +1", "leases.queue.waiters -1"]),
        ["stop"] = new(
            WaitAsync, engine => engine.Leases.DisposeAsync().AsTask(),
            [Call("acquire", "unavailable"), "leases.held -1", "leases.queue.duration{stopped} +1", "leases.queue.waiters -1"]),
        ["watch"] = new(
            engine => engine.GrantAsync(), engine => WatchAsync(engine, new() { Resource = R }),
            [Call("watch", "ok"), "leases.watch.watchers +1"]),
        ["resync"] = new(
            engine => engine.GrantAsync(), engine => WatchAsync(engine, new() { Resource = R, Since = new(7, null) }),
            [Call("watch", "ok"), "leases.watch.resyncs +1", "leases.watch.watchers +1"]),
        ["quota used up"] = new(
            Nothing, engine => AcquireAsync(engine.Caller((LeaseRights)15, new QuotaRule { Prefix = "jobs", Leases = 0 })),
            [Call("acquire", "limit-reached"), "leases.quota.refusals{leases} +1"]),
        ["forbidden"] = new(
            Nothing, engine => AcquireAsync(engine.Caller(LeaseRights.Read)),
            [Call("acquire", "forbidden"), "leases.access.refusals{acquire} +1"]),
        ["conflict"] = new(
            Nothing, engine => SaveAsync(engine, SaveOutcome.Conflict),
            [
                Call("acquire", "ok"), "leases.held +1", "leases.store.conflicts +1", "leases.store.duration{conflict,save} +1",
                "leases.store.duration{ok,load} +2", Saved,
            ]),
        ["save refused"] = new(
            Nothing, engine => SaveAsync(engine, SaveOutcome.NotSaved),
            [Call("acquire", "unavailable"), Loaded, "leases.store.duration{not-saved,save} +1"]),
        ["save unknown"] = new(
            Nothing, engine => SaveAsync(engine, SaveOutcome.Unknown),
            [Call("acquire", "outcome-unknown"), Loaded, "leases.store.duration{unknown,save} +1"]),
        ["load failed"] = new(
            Nothing, LoadAsync, [Call("get", "unavailable"), "leases.store.duration{failed,load} +1"]),
        ["trouble"] = new(
            Nothing, engine => Done(engine.Store.Trouble = new(StorageTroubleKind.Blind, "the clock")), ["leases.store.trouble{blind} +1"]),
        ["clean-up"] = new(
            BindAsync, ReleaseBoundAsync,
            [
                "leases.cleanups.outstanding +1", Call("release", "ok"), .. Ends("released"), "leases.held -1",
                "leases.store.duration{ok,save} +1",
            ]),
        ["clock set forward"] = new(
            Nothing,
            engine =>
            {
                engine.Time.Advance(Seconds(1), Seconds(3));
                return Task.CompletedTask;
            },
            ["leases.clock.offset{monotonic} +2"]),
        ["batch of the store"] = new(
            engine => engine.StartOnFolderAsync(), engine => engine.GrantAsync(),
            [Call("acquire", "ok"), "leases.held +1", Loaded, "leases.store.batch.size{save} +1", Saved, "leases.store.records +1"]),
    };

    private static string Call(string verb, string outcome) => $"leases.operation.duration{{{outcome},{verb}}} +1";

    private static string[] Ends(string how) => [$"leases.ends{{{how}}} +1", $"leases.lease.duration{{{how}}} +1"];

    private static Task Nothing(MeteredEngine engine) => Task.CompletedTask;

    private static Task Done(object _) => Task.CompletedTask;

    private static Task AdvanceAsync(MeteredEngine engine, double seconds)
    {
        engine.Time.Advance(Seconds(seconds));
        return Task.CompletedTask;
    }

    private static async Task WaitAsync(MeteredEngine engine)
    {
        await engine.GrantAsync();
        await engine.WaitAsync();
    }

    private static async Task ReleaseToWaiterAsync(MeteredEngine engine)
    {
        await engine.Leases.ReleaseAsync(engine.Grant);
        Assert.Null((await engine.Waiting).Refusal);
    }

    private static async Task WaitIsOverAsync(MeteredEngine engine)
    {
        engine.Time.Advance(Seconds(20));
        Assert.IsType<Refusal.Held>((await engine.Waiting).Refusal);
    }

    private static async Task LeaveAsync(MeteredEngine engine)
    {
        await engine.Leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => engine.Waiting);
    }

    private static async Task RenewBatchAsync(MeteredEngine engine)
    {
        var one = new RenewRequest { Resource = R, Owner = "alice", Token = engine.Grant.Token };
        await engine.Leases.RenewBatchAsync(new() { Leases = [one, one with { Owner = "bob" }] });
    }

    private static async Task BatchAsync(MeteredEngine engine) =>
        await engine.Leases.BatchAsync(new() { Operations = [new BatchOperation.Get(new() { Resource = R })] });

    private static async Task AcquireAsync(ILeaseService caller) =>
        await caller.AcquireAsync(new() { Resource = "jobs/1", Owner = "ci", Ttl = Seconds(30) });

    private static async Task SaveAsync(MeteredEngine engine, SaveOutcome outcome)
    {
        engine.Store.Outcomes.Enqueue(outcome);
        await engine.Leases.AcquireAsync(By("alice"));
    }

    private static async Task LoadAsync(MeteredEngine engine)
    {
        engine.Store.FailsLoads = true;
        await engine.Leases.GetAsync(new GetLeaseRequest { Resource = R });
    }

    private static async Task WatchAsync(MeteredEngine engine, WatchRequest request)
    {
        var events = (await engine.Leases.WatchAsync(request)).Value.GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
    }

    private static async Task BindAsync(MeteredEngine engine)
    {
        await engine.GrantAsync();
        Assert.Null((await engine.Leases.PutAsync("members/1", "here", engine.Grant)).Refusal);
        engine.Store.KeysGoOn = new();
    }

    private static async Task ReleaseBoundAsync(MeteredEngine engine) => await engine.Leases.ReleaseAsync(engine.Grant);
}
