using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;

namespace OrleansLeases.Client.Tests.Handles;

/// <summary>A lease that the application has let go is not renewed for ever; one that it may still rely on is.</summary>
[SuppressMessage("Usage", "xUnit1031", Justification = "What waits asynchronously keeps what it waits for.")]
public sealed class CollectedHandleTests : IAsyncLifetime
{
    private readonly LogBook _log = new();
    private readonly EmbeddedLeases _engine = EmbeddedLeases.InMemory();
    private readonly LeaseClient _client;

    public CollectedHandleTests() => _client = new(_engine, new() { Owner = "ann" }, logger: _log);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Lease_WhoseHandleIsCollected_IsGivenBack_AndLoggedWithWhereItWasTaken()
    {
        var token = TakeAndForget();

        await CollectUntilAsync(() => !IsHeld("r") && _log.Lines.Count > 0);

        var (level, message) = Assert.Single(_log.Lines);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains($"'r' of 'ann' with token {token}", message, StringComparison.Ordinal);
        Assert.Contains($"{nameof(CollectedHandleTests)}.{nameof(TakeAndForget)}", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leadership_ThatIsCollected_IsGivenBack()
    {
        Campaign();

        await CollectUntilAsync(() => !IsHeld("r"));
    }

    [Fact]
    public async Task Callback_OfALeaseThatIsCollected_RunsBeforeOthersHaveIt()
    {
        var heldThen = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        TakeAndRegister(() => heldThen.TrySetResult(IsHeld("r")));

        await CollectUntilAsync(() => !IsHeld("r"));

        Assert.True(await heldThen.Task);
    }

    [Fact]
    public async Task Lease_WhoseTokenIsReferredTo_StaysHeld()
    {
        var lost = TakeForItsToken("r");
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(TakeForItsToken("s"));
        TakeAndForget("forgotten");

        await CollectUntilAsync(() => !IsHeld("forgotten"));

        Assert.True(IsHeld("r"));
        Assert.True(IsHeld("s"));
        Assert.False(lost.IsCancellationRequested);
        Assert.False(linked.IsCancellationRequested);
        GC.KeepAlive(linked);
    }

    // Nobody has its task: what it waits for is all that it is reached by.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lease_OfCodeThatWaitsForItsToken_StaysHeld(bool handOver)
    {
        await StartHolding("r", handOver);
        TakeAndForget("forgotten");

        await CollectUntilAsync(() => !IsHeld("forgotten"));

        Assert.True(IsHeld("r"));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Task StartHolding(string resource, bool handOver)
    {
        var holds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = HoldAsync();
        return holds.Task;

        async Task HoldAsync()
        {
            await using var leadership = await new LeaderElection(_client, resource).CampaignAsync();
            holds.SetResult();
            var waitsFor = handOver ? leadership.HandOverToken : leadership.LostToken;
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, waitsFor).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool IsHeld(string resource) => _engine.GetAsync(new() { Resource = resource }).AsTask().Result.Value.State == LeaseStatus.Held;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long TakeAndForget(string resource = "r") => _client.AcquireAsync(resource).AsTask().Result.Token;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Campaign() => _ = new LeaderElection(_client, "r").CampaignAsync().AsTask().Result;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TakeAndRegister(Action callback) => _client.AcquireAsync("r").AsTask().Result.LostToken.Register(callback);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private CancellationToken TakeForItsToken(string resource) => _client.AcquireAsync(resource).AsTask().Result.LostToken;

    private static async Task CollectUntilAsync(Func<bool> condition)
    {
        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return condition();
        });
    }
}
