using System.Collections.Concurrent;
using System.Diagnostics;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Handles;

/// <summary>What goes on behind a call has nothing of whoever made it; a call has its caller's.</summary>
public sealed class AmbientStateTests
{
    // On the machine's own clock, since threads of their own follow only that: long enough for a machine that is busy.
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(6);

    private static readonly AsyncLocal<string?> Tenant = new();

    [Fact]
    public async Task Renewals_HaveNothingOfTheFirstCaller_AndEachCallHasItsOwn()
    {
        await using var engine = EmbeddedLeases.InMemory();
        var service = new Observing(engine);
        await using var client = new LeaseClient(service);

        // Of the first one's, timers and threads are made.
        await using var first = await AsAsync("A", () => client.AcquireAsync("a", new() { Ttl = Ttl }).AsTask());
        await using var lease = await AsAsync("B", () => client.AcquireAsync("b", new() { Ttl = Ttl }).AsTask());
        await Eventually.TrueAsync(() => service.Of("renew").Count >= 3);
        await AsAsync("C", lease.ReleaseAsync);

        Assert.All(service.Of("renew"), seen => Assert.Equal("nobody, no trace", seen));
        Assert.Equal(["A, a trace", "B, a trace"], service.Of("acquire"));
        Assert.Equal(["C, a trace"], service.Of("release"));
    }

    [Fact]
    public async Task Renewals_OnAClockThatSomebodyMoves_HaveNothingOfTheFirstCaller()
    {
        var time = new ManualTimeProvider();
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var service = new Observing(engine);
        var client = await AsAsync("A", () => Task.FromResult(new LeaseClient(service, time: time)));
        var lease = await AsAsync("A", () => client.AcquireAsync("a").AsTask());

        await AsAsync("B", () =>
        {
            time.Advance(TimeSpan.FromSeconds(11));
            return Task.FromResult(true);
        });
        await Eventually.TrueAsync(() => service.Of("renew").Count >= 1);

        Assert.All(service.Of("renew"), seen => Assert.Equal("nobody, no trace", seen));
        await lease.DisposeAsync();
    }

    [Fact]
    public async Task HandOver_HasNothingOfTheCandidate()
    {
        await using var engine = EmbeddedLeases.InMemory();
        await using var client = new LeaseClient(engine);
        await using var term = await AsAsync("A", () => new LeaderElection(client, "r", new() { Ttl = Ttl }).CampaignAsync().AsTask());
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        term.HandOverToken.UnsafeRegister(_ => seen.TrySetResult(Ambient()), null);

        await new LeaderElection(client, "r").AskToHandOverAsync(TimeSpan.FromSeconds(20), "test");

        Assert.Equal("nobody, no trace", await seen.Task.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    private static string Ambient() => $"{Tenant.Value ?? "nobody"}, {(Activity.Current is null ? "no trace" : "a trace")}";

    private static async Task<T> AsAsync<T>(string tenant, Func<Task<T>> call)
    {
        Tenant.Value = tenant;
        using var trace = new Activity(tenant).Start();
        return await call();
    }

    private sealed class Observing(ILeaseService service) : ForwardingLeases(service)
    {
        private readonly ConcurrentQueue<(string Verb, string Seen)> _seen = new();

        public IReadOnlyList<string> Of(string verb) => [.. _seen.Where(seen => seen.Verb == verb).Select(seen => seen.Seen)];

        public override ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
            AcquireRequest request, CancellationToken cancellationToken = default)
        {
            _seen.Enqueue(("acquire", Ambient()));
            return base.AcquireAsync(request, cancellationToken);
        }

        public override ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
            RenewBatchRequest request, CancellationToken cancellationToken = default)
        {
            _seen.Enqueue(("renew", Ambient()));
            return base.RenewBatchAsync(request, cancellationToken);
        }

        public override ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(
            ReleaseRequest request, CancellationToken cancellationToken = default)
        {
            _seen.Enqueue(("release", Ambient()));
            return base.ReleaseAsync(request, cancellationToken);
        }
    }
}
