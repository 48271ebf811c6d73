using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class AcquireTests : IAsyncLifetime
{
    private readonly HandleBench _bench = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _bench.DisposeAsync().AsTask();

    [Fact]
    public async Task TryAcquire_OfAFreeResource_IsALeaseAsAskedFor()
    {
        var lease = await _bench.Client.TryAcquireAsync("r", options: new() { Ttl = TimeSpan.FromSeconds(7), Metadata = new Dictionary<string, string> { ["host"] = "a" } });

        Assert.Equal(("r", "ann", LeaseMode.Exclusive, TimeSpan.FromSeconds(7)), (lease!.Resource, lease.Owner, lease.Mode, lease.Ttl));
        var holder = Assert.Single((await _bench.LookAsync()).Holders);
        Assert.Equal((lease.Token, "ann", "a"), (holder.Token, holder.Owner, holder.Metadata["host"]));
    }

    [Fact]
    public async Task TryAcquire_OfAHeldResource_IsNull()
    {
        await _bench.AcquireAsync();
        Assert.Null(await _bench.Client.TryAcquireAsync("r"));
    }

    [Fact]
    public async Task TryAcquire_WhoseWaitRunsOut_IsNull()
    {
        await _bench.AcquireAsync(ttl: HandleBench.LongTtl);
        var acquire = _bench.StartAcquire(wait: TimeSpan.FromSeconds(60));

        await _bench.AdvanceAsync(TimeSpan.FromSeconds(59));
        Assert.False(acquire.IsCompleted);
        await _bench.AdvanceUntilAsync(acquire);

        Assert.Null(await acquire);
    }

    [Fact]
    public async Task Acquire_ThatWaitsForMinutes_KeepsItsPlace()
    {
        var first = await _bench.AcquireAsync(ttl: HandleBench.LongTtl);
        var acquire = _bench.Client.AcquireAsync("r").AsTask();
        for (var call = 1; call <= 3; call++)
        {
            await WaitsInCallAsync(call);
            _bench.Time.Advance(TimeSpan.FromSeconds(25));
        }

        await WaitsInCallAsync(4);
        await first.DisposeAsync();

        var second = await acquire;
        Assert.True(second.Token > first.Token);
        Assert.Single(_bench.Network.Sent<AcquireRequest>().Skip(1).Select(request => request.RequestId).Distinct());
    }

    [Fact]
    public async Task Acquire_AtAServiceThatWaitsLess_WaitsNoLongerACall()
    {
        await using var bench = new HandleBench(new() { MaxWait = TimeSpan.FromSeconds(3) });
        await bench.AcquireAsync(ttl: HandleBench.LongTtl);
        var acquire = bench.StartAcquire(wait: TimeSpan.FromSeconds(8));

        await bench.AdvanceUntilAsync(acquire);

        Assert.Null(await acquire);
        Assert.Contains(bench.Network.Sent<AcquireRequest>(), request => request.Wait == TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Acquire_OfAMalformedRequest_ThrowsWhatTheServiceSaid()
    {
        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => _bench.AcquireAsync(ttl: TimeSpan.FromMilliseconds(1)));

        Assert.Contains("ttlMs", Assert.IsType<Refusal.InvalidRequest>(error.Refusal).Errors.Keys);
        Assert.Equal(error.Refusal.Detail, error.Message);
    }

    [Fact]
    public async Task Acquire_WhoseAnswerIsLost_FindsItsGrantByTheSameId()
    {
        var lost = true;
        _bench.Network.FateOf = _ =>
        {
            var fate = lost ? Fate.LosesAnswer : Fate.Passes;
            lost = false;
            return fate;
        };

        var acquire = _bench.StartAcquire(Timeout.InfiniteTimeSpan, HandleBench.LongTtl);
        await _bench.AdvanceUntilAsync(acquire);

        Assert.Equal((await _bench.LookAsync()).LastToken, (await acquire)!.Token);
        Assert.Single(_bench.Network.Sent<AcquireRequest>().Select(call => call.RequestId).Distinct());
    }

    [Fact]
    public async Task TryAcquire_WhoseAnswerIsLost_GivesBackWhatItMayHaveGot()
    {
        _bench.Network.FateOf = verb => verb == "acquire" && _bench.Network.Sent<AcquireRequest>().Count == 0 ? Fate.LosesAnswer : Fate.Passes;

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => _bench.AcquireAsync());

        Assert.IsType<Refusal.OutcomeUnknown>(error.Refusal);
        await FreeAfterUseAsync();
    }

    [Fact]
    public async Task Acquire_CancelledWhileItsGrantIsOnItsWay_GivesItBack()
    {
        using var cancel = new CancellationTokenSource();
        _bench.Network.FateOf = _ => Fate.Waits;
        var acquire = _bench.StartAcquire(wait: TimeSpan.Zero, cancellationToken: cancel.Token);
        await _bench.Network.CarryRequestAsync();
        Assert.Equal(LeaseStatus.Held, (await _bench.LookAsync()).State);

        _bench.Network.FateOf = _ => Fate.Passes;
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        await FreeAfterUseAsync();
    }

    [Fact]
    public async Task Request_RepeatedUnderItsIdAndCancelled_EndsNobodysLease()
    {
        using var cancel = new CancellationTokenSource();
        var request = new AcquireRequest { Resource = "r", Owner = "ann", Ttl = HandleBench.Ttl, RequestId = "message-7" };
        var lease = (await _bench.Client.RequestAsync(request, TimeSpan.Zero)).Value;
        _bench.Network.FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var again = _bench.Client.RequestAsync(request, TimeSpan.Zero, cancel.Token).AsTask();
        _bench.Network.FateOf = _ => Fate.Passes;

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => again);
        // By then it has given back what it gives back.
        await _bench.Client.DisposeAsync();
        Assert.True(lease.IsValid());
        Assert.Equal(lease.Token, Assert.Single((await _bench.LookAsync()).Holders).Token);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Acquire_ThatMayHaveBeenGranted_IsNotToldAsRefused_WhateverIsSaidLast(bool limited)
    {
        Refusal last = limited ? new Refusal.LimitReached("waiters", TimeSpan.Zero, "too many wait") : new Refusal.Unavailable(TimeSpan.Zero, "cannot be reached");
        _bench.Network.FateOf = verb => verb != "acquire" || _bench.Network.Sent<AcquireRequest>().Count == 0 ? Fate.LosesAnswer : Fate.Refused(last);
        var request = new AcquireRequest { Resource = "r", Owner = "ann", Ttl = HandleBench.LongTtl, RequestId = "message-7" };

        var asked = _bench.Client.RequestAsync(request, TimeSpan.FromSeconds(10)).AsTask();
        await _bench.AdvanceUntilAsync(asked);

        Assert.IsType<Refusal.OutcomeUnknown>((await asked).Refusal);
        Assert.Single((await _bench.LookAsync()).Holders);
    }

    [Fact]
    public async Task Acquire_CancelledWhileItIsNotGranted_DisturbsNobody()
    {
        using var cancel = new CancellationTokenSource();
        _bench.Network.FateOf = _ => Fate.Waits;
        var acquire = _bench.StartAcquire(cancellationToken: cancel.Token);
        _bench.Network.LoseRequest(0, silently: true);
        _bench.Network.FateOf = _ => Fate.Passes;

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        await _bench.Client.DisposeAsync();
        Assert.Single(_bench.Network.Sent<GetLeaseRequest>());
        Assert.Equal(0, (await _bench.LookAsync()).LastToken);
    }

    [Fact]
    public async Task Acquire_CancelledInLine_GivesItsPlaceToTheNext()
    {
        using var cancel = new CancellationTokenSource();
        var first = await _bench.AcquireAsync();
        var second = _bench.StartAcquire(wait: Timeout.InfiniteTimeSpan, cancellationToken: cancel.Token);
        await Eventually.TrueAsync(() => _bench.LookAsync().Result.Waiters == 1);
        var third = _bench.StartAcquire(wait: Timeout.InfiniteTimeSpan);
        await Eventually.TrueAsync(() => _bench.LookAsync().Result.Waiters == 2);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await first.DisposeAsync();

        Assert.NotNull(await third);
    }

    [Fact]
    public async Task Acquire_WhoseGrantArrivesAfterItsEnd_IsNoLease()
    {
        _bench.Network.FateOf = _ => Fate.Waits;
        var acquire = _bench.StartAcquire();
        await _bench.Network.CarryRequestAsync();
        _bench.Time.Advance(HandleBench.Ttl * 0.99);
        _bench.Network.FateOf = _ => Fate.Passes;
        _bench.Network.CarryAnswer();

        var error = await Assert.ThrowsAsync<LeaseRefusedException>(() => acquire);

        Assert.Contains("ttl", error.Message, StringComparison.Ordinal);
        await FreeAfterUseAsync();
    }

    [Fact]
    public async Task Acquire_WhoseGrantArrivesAfterItsEnd_TriesAgainWhileThereIsTime()
    {
        _bench.Network.FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var acquire = _bench.StartAcquire(Timeout.InfiniteTimeSpan, HandleBench.LongTtl);
        await Eventually.TrueAsync(() => _bench.Network.Requests == 1);
        await _bench.Network.CarryRequestAsync();
        _bench.Time.Advance(HandleBench.LongTtl * 0.99);
        _bench.Network.FateOf = _ => Fate.Passes;
        _bench.Network.CarryAnswer();

        await _bench.AdvanceUntilAsync(acquire);

        Assert.True((await acquire)!.IsValid());
    }

    [Fact]
    public async Task Acquire_OfSharedPlaces_HasAnOwnerForEach()
    {
        var options = new LeaseOptions { Mode = LeaseMode.Shared, Capacity = 2 };

        var first = await _bench.Client.AcquireAsync("r", options);
        var second = await _bench.Client.AcquireAsync("r", options);

        Assert.NotEqual(first.Owner, second.Owner);
        Assert.Null(await _bench.Client.TryAcquireAsync("r", options: options));
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(-10_000)]
    public async Task TryAcquire_WithANegativeWait_IsRefusedByItsName(int milliseconds) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("wait", () => _bench.Client.TryAcquireAsync("r", TimeSpan.FromMilliseconds(milliseconds)).AsTask());

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
        Assert.Contains(name, Assert.ThrowsAny<ArgumentException>(() => new LeaseClient(_bench.Service, options)).Message, StringComparison.Ordinal);

    // The first request was that of the holder.
    private Task WaitsInCallAsync(int call) => Eventually.TrueAsync(
        () => _bench.Network.Sent<AcquireRequest>().Count == 1 + call && _bench.LookAsync().Result.Waiters == 1);

    private async Task FreeAfterUseAsync()
    {
        while (await _bench.LookAsync() is not { State: LeaseStatus.Free, LastToken: > 0 }) await Task.Yield();
    }
}
