using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class RenewalTests : IAsyncLifetime
{
    private static readonly Refusal Unavailable = new Refusal.Unavailable(TimeSpan.FromSeconds(1), "Not now.");

    private readonly HandleFixture _fixture = new(new() { MaxBatch = 4 });

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _fixture.DisposeAsync().AsTask();

    [Fact]
    public async Task Lease_WhileAllIsWell_StaysValid()
    {
        var lease = await _fixture.AcquireAsync();

        for (var i = 0; i < 60; i++)
        {
            await _fixture.AdvanceAsync(TimeSpan.FromSeconds(2));
            Assert.True(lease.IsValid(TimeSpan.FromSeconds(19)));
        }

        Assert.Null(lease.Loss);
        Assert.Equal(lease.Token, Assert.Single((await _fixture.LookAsync()).Holders).Token);
    }

    [Fact]
    public async Task Renewal_IsSentWhenTheServiceSaid()
    {
        await _fixture.AcquireAsync();

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(8));
        Assert.Empty(Renewals);
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(2.1));
        Assert.Single(Renewals);
    }

    [Fact]
    public async Task Renewals_OfLeasesTakenTogether_AreSpread()
    {
        await using var fixture = new HandleFixture();
        foreach (var number in Enumerable.Range(0, 200)) await fixture.AcquireAsync($"r{number}");

        await fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));
        var renewals = fixture.Network.Sent<RenewBatchRequest>();

        Assert.Equal(200, renewals.Sum(request => request.Leases.Count));
        Assert.InRange(renewals.Count, 2, 50);
    }

    [Fact]
    public async Task Renewal_WithoutAnAnswer_IsSentAgainLongBeforeTheDeadline()
    {
        _fixture.Network.FateOf = verb => verb == "renew" ? Fate.Hangs : Fate.Passes;
        await _fixture.AcquireAsync();

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));
        Assert.Single(Renewals);
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(5.1));
        Assert.Equal(2, Renewals.Count);
    }

    [Fact]
    public async Task Renewal_WhoseAnswerIsSlow_CountsFromWhenItWasSent()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Waits;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));
        await _fixture.Network.CarryRequestAsync();
        var told = (await _fixture.LookAsync()).Holders[0].Remaining;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(12));
        _fixture.Network.CarryAnswer();
        await _fixture.SettleAsync();

        // It was carried up to 2 s after it was sent.
        Assert.InRange(lease.Remaining, told - TimeSpan.FromSeconds(15), told - TimeSpan.FromSeconds(12));
    }

    [Fact]
    public async Task Renewal_AnsweredAfterTheRelease_CallsNothingLost()
    {
        var lease = await _fixture.AcquireAsync();
        var lost = lease.LostToken;
        _fixture.Network.FateOf = verb => verb == "renew" ? Fate.Waits : Fate.Passes;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));

        await lease.DisposeAsync();
        await _fixture.Network.CarryRequestAsync();
        _fixture.Network.CarryAnswer();
        await _fixture.SettleAsync();

        Assert.Null(lease.Loss);
        Assert.False(lost.IsCancellationRequested);
    }

    [Fact]
    public async Task Renewal_AnsweredAfterALaterOne_ShortensNothing()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Waits;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));
        await _fixture.Network.CarryRequestAsync();
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(6));
        await _fixture.Network.CarryRequestAsync();
        _fixture.Network.CarryAnswer(1);
        await _fixture.SettleAsync();
        var remaining = lease.Remaining;
        Assert.InRange(remaining, TimeSpan.FromSeconds(24), TimeSpan.FromSeconds(29.7));

        _fixture.Network.CarryAnswer(0);
        await _fixture.SettleAsync();

        Assert.Equal(remaining, lease.Remaining);
    }

    [Fact]
    public async Task Renewal_AnsweredAfterTheDeadline_BringsNothingBack()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Waits;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(15));
        while (_fixture.Network.Requests > 0) await _fixture.Network.CarryRequestAsync();
        _fixture.Time.Advance(TimeSpan.FromSeconds(14.7));
        Assert.False(lease.IsValid());

        while (_fixture.Network.Answers > 0) _fixture.Network.CarryAnswer();
        await _fixture.SettleAsync();

        Assert.False(lease.IsValid());
        Assert.Equal(NotHolderReason.Expired, lease.Loss?.Reason);
    }

    [Fact]
    public async Task Renewal_AnsweredAfterASleepBeforeAnyoneLooked_BringsNothingBack()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => Fate.Waits;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(10.1));
        _fixture.Time.Suspend(TimeSpan.FromSeconds(21));
        Assert.False(lease.IsValid());

        // The service's clock stood still, too.
        await _fixture.Network.CarryRequestAsync();
        _fixture.Network.CarryAnswer();
        await _fixture.SettleAsync();

        Assert.False(lease.IsValid());
        Assert.NotNull(lease.Loss);
    }

    [Theory]
    [InlineData("hangs")]
    [InlineData("refused")]
    [InlineData("answer lost")]
    public async Task Renewal_ThatDoesNotComeThrough_IsRepeatedUntilItDoes(string trouble)
    {
        var lease = await _fixture.AcquireAsync();
        var fate = trouble switch { "hangs" => Fate.Hangs, "refused" => Fate.Refused(Unavailable), _ => Fate.LosesAnswer };
        _fixture.Network.FateOf = verb => verb == "renew" ? fate : Fate.Passes;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(20));
        Assert.True(lease.IsValid());
        Assert.InRange(Renewals.Count, 2, 20);

        _fixture.Network.FateOf = _ => Fate.Passes;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(6));

        Assert.True(lease.IsValid(TimeSpan.FromSeconds(20)));
        Assert.Null(lease.Trouble);
    }

    [Fact]
    public async Task Trouble_WhileRenewalsFail_SaysWhy()
    {
        var lease = await _fixture.AcquireAsync();
        Assert.Null(lease.Trouble);
        var change = lease.NextChange;
        _fixture.Network.FateOf = _ => Fate.Refused(Unavailable);

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(11));

        Assert.True(change.IsCompleted);
        Assert.Equal(Unavailable, lease.Trouble);
        Assert.Null(lease.Loss);
    }

    [Fact]
    public async Task Renewals_OfAServiceThatThrows_AreTriedAgain()
    {
        var lease = await _fixture.AcquireAsync();
        _fixture.Network.FateOf = _ => throw new InvalidOperationException("A defect.");
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(11));
        Assert.Contains("A defect.", lease.Trouble?.Detail, StringComparison.Ordinal);

        _fixture.Network.FateOf = _ => Fate.Passes;
        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(3));

        Assert.Null(lease.Trouble);
        Assert.True(lease.IsValid(TimeSpan.FromSeconds(25)));
    }

    [Fact]
    public async Task Batch_ThatIsMoreThanTheServiceTakes_IsSentInParts()
    {
        var leases = new List<LeaseHandle>();
        foreach (var number in Enumerable.Range(0, 60)) leases.Add(await _fixture.AcquireAsync($"r{number}"));

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(31));

        // The first batches were as large as they usually may be; then the service was asked.
        Assert.Contains(Renewals, request => request.Leases.Count > 4);
        Assert.All(leases, lease => Assert.True(lease.IsValid()));
        Assert.All(Renewals.TakeLast(5), request => Assert.InRange(request.Leases.Count, 1, 4));
    }

    [Fact]
    public async Task Lease_ThatWasReleased_IsNotRenewed()
    {
        var lease = await _fixture.AcquireAsync();
        await lease.DisposeAsync();

        await _fixture.AdvanceAsync(TimeSpan.FromSeconds(15));

        Assert.Empty(Renewals);
    }

    private IReadOnlyList<RenewBatchRequest> Renewals => _fixture.Network.Sent<RenewBatchRequest>();
}
