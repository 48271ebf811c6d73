using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>A caller who gives up, or comes too early, is answered at once, whatever the silos do meanwhile.</summary>
public sealed class CancellationTests : IAsyncLifetime
{
    private static readonly RenewRequest Renewal = new() { Resource = "a", Owner = "me", Token = 1 };

    // By the grain's method.
    private static readonly (string Method, Func<ILeaseService, CancellationToken, Task<Refusal?>> AskAsync)[] Verbs =
    [
        ("AcquireAsync", async (leases, gone) => (await leases.AcquireAsync(Acquire("a", "me"), gone)).Refusal),
        ("RenewAsync", async (leases, gone) => (await leases.RenewAsync(Renewal, gone)).Refusal),
        ("RenewAsync",
            async (leases,
                gone) => (await leases.RenewBatchAsync(new RenewBatchRequest { Leases = [Renewal] }, gone)).Value.Results[0].Refusal),
        ("ReleaseAsync",
            async (leases,
                gone) => (await leases.ReleaseAsync(new ReleaseRequest { Resource = "a", Owner = "me", Token = 1 }, gone)).Refusal),
        ("TransferAsync",
            async (leases,
                gone) =>
                    (await leases.TransferAsync(
                        new TransferRequest { Resource = "a", Owner = "me", Token = 1, NewOwner = "you" }, gone)).Refusal),
        ("BreakAsync",
            async (leases,
                gone) =>
                    (await leases.BreakAsync(new BreakRequest { Resource = "a", Grace = TimeSpan.Zero, Reason = "test" }, gone)).Refusal),
        ("GetAsync", async (leases, gone) => (await leases.GetAsync(new GetLeaseRequest { Resource = "a" }, gone)).Refusal),
        ("ListAsync", async (leases, gone) => (await leases.ListAsync(new ListLeasesRequest(), gone)).Refusal),
        ("HistoryAsync", async (leases, gone) => (await leases.HistoryAsync("a", gone)).Refusal),
        ("PutAsync", async (leases, gone) => (await leases.PutKeyAsync("k", Put("1"), gone)).Refusal),
        ("GetAsync", async (leases, gone) => (await leases.GetKeyAsync("k", gone)).Refusal),
        ("DeleteAsync", async (leases, gone) => (await leases.DeleteKeyAsync("k", null, gone)).Refusal),
        ("AddAsync", async (leases, gone) => (await leases.AddToCounterAsync("k", new AddToCounterRequest { Delta = 1 }, gone)).Refusal),
        ("ListKeysAsync", async (leases, gone) => (await leases.ListKeysAsync(new ListKeysRequest(), gone)).Refusal),
        ("InfoAsync", async (leases, gone) => (await leases.InfoAsync(gone)).Refusal),
    ];

    private readonly HeldCalls _calls = new();
    private Cluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await Cluster.InMemoryAsync(_calls.Install);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Cancelled_WhileTheGrainIsSilent_EveryVerbEndsAtOnce()
    {
        Assert.Null((await _cluster.ClientLeases.InfoAsync()).Refusal);
        foreach (var (method, askAsync) in Verbs)
        {
            using var gone = new CancellationTokenSource();
            var held = _calls.Call(method);
            var call = askAsync(_cluster.ClientLeases, gone.Token);
            await held.ReachedAsync();
            Assert.False(call.IsCompleted, method);

            await gone.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Calls.WaitTimeout));
            held.LetGo();
        }
    }

    [Fact]
    public async Task Cancelled_BeforeItIsAsked_NoVerbAsks()
    {
        foreach (var (method, askAsync) in Verbs)
        {
            var held = _calls.Call(method);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => askAsync(_cluster.Leases, new CancellationToken(canceled: true)));
            Assert.False(held.WasReached, method);
        }
    }

    [Fact]
    public async Task Acquire_CancelledWhileTheGrainIsSilent_IsGivenBack()
    {
        foreach (var wait in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromSeconds(10)])
        {
            using var gone = new CancellationTokenSource();
            var resource = $"wait {wait}";
            var held = _calls.Answer("AcquireAsync");
            var call = _cluster.ClientLeases.AcquireAsync(Acquire(resource, "me", "id") with { Wait = wait }, gone.Token).AsTask();
            await held.ReachedAsync();
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Calls.WaitTimeout));
            Assert.Equal(LeaseStatus.Held, (await _cluster.Leases.GetAsync(new GetLeaseRequest { Resource = resource })).Value.State);

            held.LetGo();

            await Calls.UntilAsync(
                async () => (await _cluster.Leases.GetAsync(new GetLeaseRequest { Resource = resource })).Value.State == LeaseStatus.Free);
        }
    }

    [Fact]
    public async Task Acquire_CancelledLate_LeavesANewerCallOfItsRequestIdInTheQueue()
    {
        var holder = (await _cluster.Leases.AcquireAsync(Acquire("a", "holder"))).Value;
        var request = Acquire("a", "me", "id") with { Wait = TimeSpan.FromSeconds(25) };
        using var gone = new CancellationTokenSource();
        var givesUp = _calls.Call("CancelWaitAsync");
        var older = _cluster.ClientLeases.AcquireAsync(request, gone.Token).AsTask();
        await Calls.UntilAsync(async () => (await _cluster.Leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.Waiters == 1);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => older.WaitAsync(Calls.WaitTimeout));
        await givesUp.ReachedAsync();
        var takenOver = _calls.Answer("AcquireAsync");
        var newer = _cluster.ClientLeases.AcquireAsync(request).AsTask();
        await takenOver.ReachedAsync();
        takenOver.LetGo();

        var gaveUp = _calls.Answer("CancelWaitAsync");
        givesUp.LetGo();
        await gaveUp.ReachedAsync();
        gaveUp.LetGo();

        await _cluster.Leases.ReleaseAsync(Release(holder));
        Assert.Equal("me", (await newer.WaitAsync(Calls.WaitTimeout)).Value.Owner);
    }

    [Fact]
    public async Task BeforeTheClientHasStarted_EveryVerbIsUnavailable()
    {
        using var host = new HostBuilder().UseOrleansClient(client => client.UseLocalhostClustering(Ports.Free()).AddLeases()).Build();
        var leases = host.Services.GetRequiredService<ILeaseService>();

        foreach (var (_, askAsync) in Verbs) Assert.Contains(
            "cannot be reached", Assert.IsType<Refusal.Unavailable>(await askAsync(leases, default)).Detail, StringComparison.Ordinal);
        Assert.IsType<Refusal.Unavailable>((await leases.WatchAsync(new WatchRequest { Resource = "a" })).Refusal);
    }
}
