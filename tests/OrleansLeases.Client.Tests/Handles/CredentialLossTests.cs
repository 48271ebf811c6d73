using Microsoft.Extensions.Logging;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Handles;

/// <summary>A credential that is no longer accepted: told as that, while each handle counts its own deadline.</summary>
public sealed class CredentialLossTests : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Trusted = HandleFixture.Ttl * 0.99;

    private readonly LogBook _log = new();
    private readonly ManualTimeProvider _time = new();
    private readonly EmbeddedLeases _engine;
    private readonly Network _network;
    private readonly LeaseClient _client;

    public CredentialLossTests()
    {
        _engine = EmbeddedLeases.InMemory(time: _time);
        _network = new(_engine);
        _client = new(_network, new() { Owner = "ann" }, _time, _log);
    }

    public static TheoryData<string> Words => ["unauthorized", "forbidden"];

    public async ValueTask DisposeAsync()
    {
        _network.FateOf = _ => Fate.Passes;
        await _client.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Words))]
    public async Task Renewals_ThatAreRefusedForIt_GoOn_AndTheLeaseIsKeptWhenItWorksAgain(string word)
    {
        await using var lease = await _client.AcquireAsync("r");
        _network.FateOf = verb => verb == "renew" ? Fate.Refused(RefusalOf(word)) : Fate.Passes;
        await AdvanceAsync(Trusted - TimeSpan.FromSeconds(3));
        Assert.True(lease.IsValid());
        Assert.Equal(RefusalOf(word), lease.Trouble);

        _network.FateOf = _ => Fate.Passes;
        await AdvanceAsync(TimeSpan.FromSeconds(10));

        Assert.True(lease.IsValid());
        Assert.Null(lease.Trouble);
        Assert.Equal(
            [
                (LogLevel.Warning,
                    "Leases are not being renewed, first that on 'r' of 'ann'; that is tried again until they run out: "
                        + $"{word}: The key was revoked."),
                (LogLevel.Information, "All leases are being renewed again."),
            ],
            _log.Lines);
    }

    [Theory]
    [MemberData(nameof(Words))]
    public async Task Lease_IsHeldToItsDeadline_AndItsLossSaysWhy(string word)
    {
        await using var lease = await _client.AcquireAsync("r");
        _network.FateOf = verb => verb == "renew" ? Fate.Refused(RefusalOf(word)) : Fate.Passes;

        await AdvanceAsync(Trusted - Step);
        Assert.True(lease.IsValid());
        await AdvanceAsync(Step);

        Assert.Equal(
            new LeaseLoss(NotHolderReason.Expired, $"The lease on 'r' was not renewed in time: {word}: The key was revoked."),
            lease.Loss! with { DecidedLocally = false });
    }

    [Fact]
    public async Task Log_OfAnotherTrouble_IsFollowedByThisOne_Once()
    {
        await using var one = await _client.AcquireAsync("one");
        await using var two = await _client.AcquireAsync("two");
        _network.FateOf = verb => verb == "renew" ? Fate.Refused(new Refusal.Unavailable(TimeSpan.Zero, "Away.")) : Fate.Passes;
        await AdvanceAsync(TimeSpan.FromSeconds(12));
        _network.FateOf = verb => verb == "renew" ? Fate.Refused(RefusalOf("unauthorized")) : Fate.Passes;
        await AdvanceAsync(TimeSpan.FromSeconds(12));

        Assert.Collection(
            _log.Lines,
            line => Assert.EndsWith("until they run out: Away.", line.Message, StringComparison.Ordinal),
            line => Assert.EndsWith("until they run out: unauthorized: The key was revoked.", line.Message, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Words))]
    public async Task Acquire_ThatMayWait_IsRefusedForItAtOnce(string word)
    {
        _network.FateOf = verb => verb == "acquire" ? Fate.Refused(RefusalOf(word)) : Fate.Passes;

        var refused = await Assert.ThrowsAsync<LeaseRefusedException>(() => _client.AcquireAsync("r").AsTask());

        Assert.Equal(RefusalOf(word), refused.Refusal);
        Assert.Single(_network.Sent<AcquireRequest>());
    }

    private static Refusal RefusalOf(string word) =>
        word == "forbidden" ? new Refusal.Forbidden("The key was revoked.") : new Refusal.Unauthorized("The key was revoked.");

    private async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= Step)
        {
            _time.Advance(left < Step ? left : Step);
            await Eventually.TrueAsync(() => _client.RenewalsUnderWay == 0);
        }
    }
}
