using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class AcquireTests : IAsyncLifetime
{
    private readonly HandleFixture _fixture = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fixture.DisposeAsync().AsTask();

    [Fact]
    public async Task TryAcquire_OfAFreeResource_IsALeaseAsAskedFor()
    {
        var lease = await _fixture.Client.TryAcquireAsync(
            "r", options: new() { Ttl = TimeSpan.FromSeconds(7), Metadata = new Dictionary<string, string> { ["host"] = "a" } });

        Assert.Equal(("r", "ann", LeaseMode.Exclusive, TimeSpan.FromSeconds(7)), (lease!.Resource, lease.Owner, lease.Mode, lease.Ttl));
        var holder = Assert.Single((await _fixture.LookAsync()).Holders);
        Assert.Equal((lease.Token, "ann", "a"), (holder.Token, holder.Owner, holder.Metadata["host"]));
    }

    [Fact]
    public async Task TryAcquire_OfAHeldResource_IsNull()
    {
        await _fixture.AcquireAsync();
        Assert.Null(await _fixture.Client.TryAcquireAsync("r"));
    }

    [Fact]
    public async Task Acquire_InTheLastPartOfAMillisecond_DoesNotAskAgainAndAgain()
    {
        var time = new ManualTimeProvider();
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var refusing = new RefusingLeases(engine);
        await using var client = new LeaseClient(refusing, time: time);
        var request = new AcquireRequest { Resource = "r", Owner = "ann", Ttl = TimeSpan.FromSeconds(10) };
        var acquire = client.RequestAsync(request, wait: new TimeSpan(500_500)).AsTask();

        for (var i = 0; i < 51; i++) time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.IsType<Refusal.Unavailable>((await acquire.WaitAsync(TimeSpan.FromSeconds(30))).Refusal);
        Assert.InRange(refusing.Acquires, 1, 3);
    }

    private sealed class RefusingLeases(ILeaseService inner) : ForwardingLeases(inner)
    {
        public int Acquires { get; private set; }

        public override ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
            AcquireRequest request, CancellationToken cancellationToken = default) => ++Acquires < 100
            ? ValueTask.FromResult<LeaseResult<LeaseGrant>>(new Refusal.Unavailable(TimeSpan.Zero, "Away."))
            : throw new InvalidOperationException("It asks again and again.");
    }

    [Fact]
    public async Task Wait_CountsTheCallThatTellsTheLimits()
    {
        await using var held = await _fixture.Client.AcquireAsync("r", new() { Ttl = HandleFixture.LongTtl });
        await using var client = new LeaseClient(new SecretiveLeases(_fixture.Service), time: _fixture.Time);

        // The limits are not waited for any longer than 2 s, and by then the wait is over.
        var acquire = client.TryAcquireAsync("r", TimeSpan.FromSeconds(2)).AsTask();
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(2));

        Assert.Null(await acquire.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    private sealed class SecretiveLeases(ILeaseService inner) : ForwardingLeases(inner)
    {
        public override ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
            new(new TaskCompletionSource<LeaseResult<ServiceInfo>>().Task);
    }

    [Fact]
    public async Task TryAcquire_WhoseWaitRunsOut_IsNull()
    {
        await _fixture.AcquireAsync(ttl: HandleFixture.LongTtl);
        var acquire = _fixture.StartAcquire(wait: TimeSpan.FromSeconds(60));

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(59));
        Assert.False(acquire.IsCompleted);
        await _fixture.AdvanceUntilAsync(acquire);

        Assert.Null(await acquire);
    }

    [Fact]
    public async Task Acquire_ThatWaitsForMinutes_KeepsItsPlace()
    {
        var first = await _fixture.AcquireAsync(ttl: HandleFixture.LongTtl);
        var acquire = _fixture.Client.AcquireAsync("r").AsTask();
        for (var call = 1; call <= 3; call++)
        {
            await WaitsInCallAsync(call);
            _fixture.Time.Advance(TimeSpan.FromSeconds(25));
        }

        await WaitsInCallAsync(4);
        await first.DisposeAsync();

        var second = await acquire;
        Assert.True(second.Token > first.Token);
        Assert.Single(_fixture.Network.Sent<AcquireRequest>().Skip(1).Select(request => request.RequestId).Distinct());
    }

    [Fact]
    public async Task Acquire_AtAServiceThatWaitsLess_WaitsNoLongerACall()
    {
        await using var fixture = new HandleFixture(new() { MaxWait = TimeSpan.FromSeconds(3) });
        await fixture.AcquireAsync(ttl: HandleFixture.LongTtl);
        var acquire = fixture.StartAcquire(wait: TimeSpan.FromSeconds(8));

        await fixture.AdvanceUntilAsync(acquire);

        Assert.Null(await acquire);
        Assert.Contains(fixture.Network.Sent<AcquireRequest>(), request => request.Wait == TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Acquire_OfAMalformedRequest_ThrowsWhatTheServiceSaid()
    {
        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => _fixture.AcquireAsync(ttl: TimeSpan.FromMilliseconds(1)));

        Assert.Contains("ttlMs", Assert.IsType<Refusal.InvalidRequest>(error.Refusal).Errors.Keys);
        Assert.Equal(error.Refusal.Detail, error.Message);
    }

    [Fact]
    public async Task Acquire_WhoseAnswerIsLost_FindsItsGrantByTheSameId()
    {
        var lost = true;
        _fixture.Network.FateOf = _ =>
        {
            var fate = lost ? Fate.LosesAnswer : Fate.Passes;
            lost = false;
            return fate;
        };

        var acquire = _fixture.StartAcquire(Timeout.InfiniteTimeSpan, HandleFixture.LongTtl);
        await _fixture.AdvanceUntilAsync(acquire);

        Assert.Equal((await _fixture.LookAsync()).LastToken, (await acquire)!.Token);
        Assert.Single(_fixture.Network.Sent<AcquireRequest>().Select(call => call.RequestId).Distinct());
    }

    [Fact]
    public async Task TryAcquire_WhoseAnswerIsLost_GivesBackWhatItMayHaveGot()
    {
        _fixture.Network.FateOf = verb =>
            verb == "acquire" && _fixture.Network.Sent<AcquireRequest>().Count == 0 ? Fate.LosesAnswer : Fate.Passes;

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => _fixture.AcquireAsync());

        Assert.IsType<Refusal.OutcomeUnknown>(error.Refusal);
        await FreeAfterUseAsync();
    }

    [Fact]
    public async Task Acquire_CancelledWhileItsGrantIsOnItsWay_GivesItBack()
    {
        using var cancel = new CancellationTokenSource();
        _fixture.Network.FateOf = _ => Fate.Waits;
        var acquire = _fixture.StartAcquire(wait: TimeSpan.Zero, cancellationToken: cancel.Token);
        await _fixture.Network.CarryRequestAsync();
        Assert.Equal(LeaseStatus.Held, (await _fixture.LookAsync()).State);

        _fixture.Network.FateOf = _ => Fate.Passes;
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        await FreeAfterUseAsync();
    }

    [Fact]
    public async Task Request_RepeatedUnderItsIdAndCancelled_EndsNobodysLease()
    {
        using var cancel = new CancellationTokenSource();
        var request = new AcquireRequest { Resource = "r", Owner = "ann", Ttl = HandleFixture.Ttl, RequestId = "message-7" };
        var lease = (await _fixture.Client.RequestAsync(request, TimeSpan.Zero)).Value;
        _fixture.Network.FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var again = _fixture.Client.RequestAsync(request, TimeSpan.Zero, cancel.Token).AsTask();
        _fixture.Network.FateOf = _ => Fate.Passes;

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => again);
        // By then it has given back what it gives back.
        await _fixture.Client.DisposeAsync();
        Assert.True(lease.IsValid());
        Assert.Equal(lease.Token, Assert.Single((await _fixture.LookAsync()).Holders).Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Acquire_ThatMayHaveBeenGranted_IsNotToldAsRefused_WhateverIsSaidLast(bool limited)
    {
        Refusal last = limited
            ? new Refusal.LimitReached("waiters", TimeSpan.Zero, "too many wait")
            : new Refusal.Unavailable(TimeSpan.Zero, "cannot be reached");
        _fixture.Network.FateOf = verb =>
            verb != "acquire" || _fixture.Network.Sent<AcquireRequest>().Count == 0 ? Fate.LosesAnswer : Fate.Refused(last);
        var request = new AcquireRequest { Resource = "r", Owner = "ann", Ttl = HandleFixture.LongTtl, RequestId = "message-7" };

        var asked = _fixture.Client.RequestAsync(request, TimeSpan.FromSeconds(10)).AsTask();
        await _fixture.AdvanceUntilAsync(asked);

        Assert.IsType<Refusal.OutcomeUnknown>((await asked).Refusal);
        Assert.Single((await _fixture.LookAsync()).Holders);
    }

    [Fact]
    public async Task Acquire_CancelledWhileItIsNotGranted_DisturbsNobody()
    {
        using var cancel = new CancellationTokenSource();
        _fixture.Network.FateOf = _ => Fate.Waits;
        var acquire = _fixture.StartAcquire(cancellationToken: cancel.Token);
        _fixture.Network.LoseRequest(0, silently: true);
        _fixture.Network.FateOf = _ => Fate.Passes;

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        await _fixture.Client.DisposeAsync();
        Assert.Single(_fixture.Network.Sent<GetLeaseRequest>());
        Assert.Equal(0, (await _fixture.LookAsync()).LastToken);
    }

    [Fact]
    public async Task Acquire_CancelledAndGrantedAfterItWasLookedUp_IsGivenBack()
    {
        using var cancel = new CancellationTokenSource();
        _fixture.Network.FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var acquire = _fixture.StartAcquire(ttl: HandleFixture.LongTtl, cancellationToken: cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        await Eventually.TrueAsync(() => _fixture.Network.Sent<GetLeaseRequest>().Count == 1);

        _fixture.Network.FateOf = _ => Fate.Passes;
        await _fixture.Network.CarryRequestAsync();
        Assert.Equal(LeaseStatus.Held, (await _fixture.LookAsync()).State);

        await _fixture.Time.AdvanceUntilAsync(() => _fixture.Network.Sent<ReleaseRequest>().Count == 1, TimeSpan.FromSeconds(1));
        await FreeAfterUseAsync();
    }

    [Fact]
    public async Task Acquire_CancelledInLine_GivesItsPlaceToTheNext()
    {
        using var cancel = new CancellationTokenSource();
        var first = await _fixture.AcquireAsync();
        var second = _fixture.StartAcquire(wait: Timeout.InfiniteTimeSpan, cancellationToken: cancel.Token);
        await Eventually.TrueAsync(() => _fixture.LookAsync().Result.Waiters == 1);
        var third = _fixture.StartAcquire(wait: Timeout.InfiniteTimeSpan);
        await Eventually.TrueAsync(() => _fixture.LookAsync().Result.Waiters == 2);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await first.DisposeAsync();

        Assert.NotNull(await third);
    }

    [Fact]
    public async Task Acquire_WhoseGrantArrivesAfterItsEnd_IsNoLease()
    {
        _fixture.Network.FateOf = _ => Fate.Waits;
        var acquire = _fixture.StartAcquire();
        await _fixture.Network.CarryRequestAsync();
        _fixture.Time.Advance(HandleFixture.Ttl * 0.99);
        _fixture.Network.FateOf = _ => Fate.Passes;
        _fixture.Network.CarryAnswer();

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => acquire);

        Assert.Contains("ttl", error.Message, StringComparison.Ordinal);
        await FreeAfterUseAsync();
    }

    [Fact]
    public async Task Acquire_WhoseGrantArrivesAfterItsEnd_TriesAgainWhileThereIsTime()
    {
        _fixture.Network.FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var acquire = _fixture.StartAcquire(Timeout.InfiniteTimeSpan, HandleFixture.LongTtl);
        await Eventually.TrueAsync(() => _fixture.Network.Requests == 1);
        await _fixture.Network.CarryRequestAsync();
        _fixture.Time.Advance(HandleFixture.LongTtl * 0.99);
        _fixture.Network.FateOf = _ => Fate.Passes;
        _fixture.Network.CarryAnswer();

        await _fixture.AdvanceUntilAsync(acquire);

        Assert.True((await acquire)!.IsValid());
    }

    [Fact]
    public async Task Acquire_OfSharedPlaces_HasAnOwnerForEach()
    {
        var options = new LeaseOptions { Mode = LeaseMode.Shared, Capacity = 2 };

        var first = await _fixture.Client.AcquireAsync("r", options);
        var second = await _fixture.Client.AcquireAsync("r", options);

        Assert.NotEqual(first.Owner, second.Owner);
        Assert.Null(await _fixture.Client.TryAcquireAsync("r", options: options));
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(-10_000)]
    public async Task TryAcquire_WithANegativeWait_IsRefusedByItsName(int milliseconds) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            "wait", () => _fixture.Client.TryAcquireAsync("r", TimeSpan.FromMilliseconds(milliseconds)).AsTask());

    public static TheoryData<LeaseClientOptions, string> BadOptions => new()
    {
        { new() { Owner = "" }, "Owner" },
        { new() { ClockDrift = 0.6 }, "ClockDrift" },
        { new() { ClockDrift = double.NaN }, "ClockDrift" },
        { new() { ReleaseTimeout = TimeSpan.FromSeconds(-1) }, "ReleaseTimeout" },
    };

    [Theory]
    [MemberData(nameof(BadOptions))]
    public void Client_WithAnOptionOutOfBounds_NamesIt(LeaseClientOptions options, string name) =>
        Assert.Contains(
            name, Assert.ThrowsAny<ArgumentException>(() => new LeaseClient(_fixture.Service, options)).Message, StringComparison.Ordinal);

    // The first request was that of the holder.
    private Task WaitsInCallAsync(int call) => Eventually.TrueAsync(
        () => _fixture.Network.Sent<AcquireRequest>().Count == 1 + call && _fixture.LookAsync().Result.Waiters == 1);

    private async Task FreeAfterUseAsync()
    {
        while (await _fixture.LookAsync() is not { State: LeaseStatus.Free, LastToken: > 0 }) await Task.Yield();
    }
}
