using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Handles;

/// <summary>Leases over HTTP with two servers of one service, on a clock that only the test moves.</summary>
public sealed class SeveralServersTests : IAsyncLifetime
{
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly ManualTimeProvider _time = new();
    private readonly EmbeddedLeases _service;
    private readonly Network[] _networks;
    private readonly Wires _wires;
    private readonly LeaseClient _client;

    public SeveralServersTests()
    {
        _service = EmbeddedLeases.InMemory(time: _time);
        _networks = [new(_service), new(_service)];
        _wires = new([.. _networks]);
        _client = new(_wires.Service(_time), new() { Owner = "ann" }, _time);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var network in _networks) network.FateOf = _ => Fate.Passes;
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task Lease_WhoseServerDies_IsRenewedAtTheOther_AndBack()
    {
        var lease = await AcquireAsync(Ttl);
        foreach (var dead in (int[])[0, 1, 0])
        {
            _wires.Cut(dead);
            _wires.Cut(1 - dead, false);
            await StaysValidAsync(lease, 2 * Ttl, margin: TimeSpan.FromSeconds(19));
        }
    }

    [Theory]
    [InlineData(30_000)]
    [InlineData(10_000)]
    [InlineData(3_000)]
    [InlineData(1_000)]
    public async Task Lease_WhoseServerFallsSilent_IsRenewedAtTheOther(int ttlMs)
    {
        var ttl = TimeSpan.FromMilliseconds(ttlMs);
        var lease = await AcquireAsync(ttl);

        _networks[0].FateOf = _ => Fate.Hangs;

        await StaysValidAsync(lease, 4 * ttl, margin: TimeSpan.Zero);
        Assert.NotEmpty(_networks[1].Sent<RenewBatchRequest>());
    }

    [Fact]
    public async Task Lease_WhoseServersAreAllAwayForAWhile_IsRenewedOnceOneIsBack()
    {
        var lease = await AcquireAsync(Ttl);
        _wires.Cut(0);
        _wires.Cut(1);
        await StaysValidAsync(lease, TimeSpan.FromSeconds(20), margin: TimeSpan.Zero);
        Assert.IsType<Refusal.Unavailable>(lease.Trouble);

        _wires.Cut(1, false);
        await StaysValidAsync(lease, TimeSpan.FromSeconds(5), margin: TimeSpan.Zero);

        Assert.True(lease.IsValid(TimeSpan.FromSeconds(19)));
        Assert.Null(lease.Trouble);
    }

    [Fact]
    public async Task Grant_WhoseAnswerWasLost_IsFoundAtTheOtherServer_WithTheTimeThatIsLeft()
    {
        _networks[0].FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var acquire = AcquireAsync(Ttl);
        await Eventually.TrueAsync(() => _networks[0].Requests == 1);
        await _networks[0].CarryRequestAsync();
        _time.Advance(TimeSpan.FromSeconds(5));

        var lease = await acquire.WaitAsync(WaitTimeout);
        Assert.Equal(lease.Token, Assert.Single((await LookAsync()).Holders).Token);
        var counted = (Ttl - TimeSpan.FromSeconds(5)) - (Ttl * 0.01);
        Assert.Equal(counted, lease.Remaining);

        // It comes after all.
        _networks[0].CarryAnswer();
        _time.Advance(TimeSpan.Zero);
        Assert.Equal(counted, lease.Remaining);
        Assert.Equal(lease.Token, (await LookAsync()).LastToken);
    }

    [Fact]
    public async Task Renewal_AnsweredByTheOtherServer_CountsFromWhenThatWasAsked()
    {
        var lease = await AcquireAsync(Ttl);
        _networks[0].FateOf = _ => Fate.Hangs;
        // Renewed after 9 to 10 s, given up there 5 s later; the second one is sent in the same moment.
        await AdvanceAsync(TimeSpan.FromSeconds(16));

        var told = Assert.Single((await LookAsync()).Holders).Remaining;
        Assert.InRange(lease.Remaining, told - (Ttl * 0.02), told);
        Assert.InRange(told, TimeSpan.FromSeconds(28), TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Grant_ThatWasGivenBackBeforeItWasTold_IsAskedForAnew()
    {
        _networks[0].FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var acquire = AcquireAsync(Ttl);
        await Eventually.TrueAsync(() => _networks[0].Requests == 1);
        await _networks[0].CarryRequestAsync();

        // As its gateway does when it cannot deliver it.
        var token = (await LookAsync()).LastToken;
        var grant = new LeaseGrant
        {
            Mode = LeaseMode.Exclusive, Resource = "r", Owner = "ann", Token = token, Ttl = Ttl, Remaining = Ttl,
            Elapsed = default, RenewAfter = default, RequestId = "",
        };
        Assert.False((await ((IUndeliveredGrants)_service).GiveBackAsync(grant)).Value.Replayed);
        _time.Advance(TimeSpan.FromSeconds(5));

        var lease = await acquire.WaitAsync(WaitTimeout);
        Assert.Equal(token + 1, lease.Token);
        Assert.Equal(Ttl - (Ttl * 0.01), lease.Remaining);
    }

    [Fact]
    public async Task Acquire_CancelledAfterItMovedToAnotherServer_GivesBackWhatTheFirstOneGranted()
    {
        using var cancel = new CancellationTokenSource();
        foreach (var network in _networks) network.FateOf = verb => verb == "acquire" ? Fate.Waits : Fate.Passes;
        var acquire = _client.TryAcquireAsync("r", cancellationToken: cancel.Token).AsTask();
        await Eventually.TrueAsync(() => _networks[0].Requests == 1);
        _time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(() => _networks[1].Requests == 1);
        await _networks[0].CarryRequestAsync();
        Assert.Equal(LeaseStatus.Held, (await LookAsync()).State);

        foreach (var network in _networks) network.FateOf = _ => Fate.Passes;
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => acquire);
        await Eventually.TrueAsync(() => LookAsync().Result.State == LeaseStatus.Free);
    }

    [Fact]
    public async Task Release_AtAServerThatFallsSilent_IsMadeAtTheOther()
    {
        // The server is given up well before the release, which has a limit of its own.
        var patience = TimeSpan.FromSeconds(1);
        var client = new LeaseClient(_wires.Service(_time, serverTimeout: patience), new() { Owner = "ann" }, _time);
        var lease = await client.TryAcquireAsync("r", options: new() { Ttl = Ttl });
        _networks[0].FateOf = _ => Fate.Hangs;
        var release = lease!.ReleaseAsync();
        await Eventually.TrueAsync(() => _networks[0].OpenCalls("release") == 1);

        _time.Advance(patience);

        await Eventually.TrueAsync(() => LookAsync().Result.State == LeaseStatus.Free);
        Assert.Single(_networks[0].Sent<ReleaseRequest>());
        Assert.Single(_networks[1].Sent<ReleaseRequest>());
        await release.WaitAsync(WaitTimeout);
    }

    private async Task<LeaseHandle> AcquireAsync(TimeSpan ttl)
    {
        var lease = await _client.TryAcquireAsync("r", options: new() { Ttl = ttl });
        Assert.NotNull(lease);
        return lease;
    }

    private async Task StaysValidAsync(LeaseHandle lease, TimeSpan length, TimeSpan margin)
    {
        for (var left = length; left > TimeSpan.Zero; left -= Step)
        {
            await AdvanceAsync(Step);
            Assert.True(lease.IsValid(margin), $"After {length - left} only {lease.Remaining} was left.");
        }

        Assert.Equal(lease.Token, Assert.Single((await LookAsync()).Holders).Token);
    }

    private async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= Step)
        {
            _time.Advance(Step);
            await Eventually.TrueAsync(() => _client.RenewalsUnderWay == _networks.Sum(network => network.OpenCalls("renew")));
        }
    }

    private async Task<LeaseInfo> LookAsync() => (await _service.GetAsync(new() { Resource = "r" })).Value;
}
