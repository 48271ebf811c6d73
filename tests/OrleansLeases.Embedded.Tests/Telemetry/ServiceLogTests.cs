using System.Diagnostics.Metrics;
using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Storage;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>What a service logs of its leases, store and clock: never a line for each request.</summary>
public sealed class ServiceLogTests
{
    private const int Broken = 7501;
    private const int Expired = 7502;
    private const int Slow = 7503;
    private const int Stepped = 7504;

    private readonly LogLines _log = new();
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Break_IsOneLine_WithItsReason()
    {
        await using var leases = Start();
        await leases.GrantAsync(By("alice"));

        var request = new BreakRequest { Resource = R, Grace = TimeSpan.Zero, Force = true, Reason = "it \u202ehangs" };
        Assert.Null((await leases.BreakAsync(request)).Refusal);

        var line = Assert.Single(_log.Of(Broken));
        Assert.StartsWith($"{Broken} Information The lease on '{R}' of 'alice' with token ", line, StringComparison.Ordinal);
        Assert.Contains(" is broken: it ", line, StringComparison.Ordinal);
        // Nor does a reason turn the direction of the line.
        Assert.DoesNotContain('\u202e', line);
        Assert.Empty(_log.Of(Expired));
    }

    [Fact]
    public async Task Leases_ThatExpireTogether_AreTwentyLines_AndTheNextMinuteSaysHowManyMore()
    {
        await using var leases = Start();
        for (var i = 0; i < 30; i++) await leases.GrantAsync(By("alice", $"jobs/{i}"));
        await leases.ReleaseAsync(await leases.GrantAsync(By("bob", "released")));
        _time.Advance(Seconds(30));
        await UntilAsync(() => Task.FromResult(_log.Of(Expired).Count == 20));
        await UntilAsync(async () => (await leases.ListAsync(new())).Value.Leases.Count == 0);
        // An end is logged once it is stored, and before its keeper takes the next call: in the same minute, as the clock stands.
        for (var i = 0; i < 30; i++) await leases.GetAsync($"jobs/{i}");
        Assert.Equal(20, _log.Of(Expired).Count);
        Assert.EndsWith(": its holder did not renew it.", _log.Of(Expired)[0].TrimEnd(), StringComparison.Ordinal);

        await leases.GrantAsync(By("alice", "jobs/late"));
        _time.Advance(Seconds(90));

        await UntilAsync(() => Task.FromResult(_log.Of(Expired).Count == 21));
        Assert.Contains("'jobs/late'", _log.Of(Expired)[^1], StringComparison.Ordinal);
        Assert.Contains("10 more went unmentioned", _log.Of(Expired)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Store_ThatIsSlow_IsOneLineAMinute()
    {
        var log = new ServiceLog(_log, _time);
        for (var i = 0; i < 5; i++) log.Slow("save", Seconds(1.5));
        _time.Advance(Seconds(60));
        log.Slow("save", Seconds(2));

        Assert.Equal(
            [
                $"{Slow} Warning The store took 1.5 s for one save.",
                $"{Slow} Warning The store took 2.0 s for one save. 4 more that were slow went unmentioned before it.",
            ],
            _log.Of(Slow).Select(line => line.TrimEnd()));
    }

    [Fact]
    public void Store_IsSlow_FromASecondOn_WhateverItDoes_AndWhetherOrNotAnybodyCounts()
    {
        var told = new List<(string, TimeSpan)>();
        using var meter = new Meter("nobody listens");
        var store = new StoreMetrics(meter, _time) { Slow = (operation, took) => told.Add((operation, took)) };
        // Where the monotonic clock stands at 0, nothing has begun.
        _time.Advance(Seconds(1));
        foreach (var seconds in (double[])[0.999, 1])
        {
            var (load, save, add) = (store.Start(), store.Start(), store.Start());
            _time.Advance(Seconds(seconds));
            store.Loaded(load, failed: false);
            store.Saved(save, SaveOutcome.Unknown);
            store.AddedOrLoaded(add, SaveOutcome.Saved);
        }

        Assert.Equal([("load", Seconds(1)), ("save", Seconds(1)), ("add", Seconds(1))], told);
        Assert.Equal(0, new StoreMetrics(meter, _time).Start());
    }

    [Fact]
    public void Clock_ThatWasSet_IsOneLine_AndSoIsTheNextTime()
    {
        var log = new ServiceLog(_log, _time);
        foreach (var stepped in (double[])[0, 0.5, 3, 3.2, 3.2, -1]) log.LookAtClock(Seconds(stepped), Seconds(1));

        Assert.Collection(
            _log.Of(Stepped),
            line => Assert.Contains("was set by 3.0 s, 3.0 s since", line, StringComparison.Ordinal),
            line => Assert.Contains("was set by -4.0 s, -1.0 s since", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Engine_OnADisk_LooksAtItsClock()
    {
        using var folder = new TestFolder();
        await using var leases = await EmbeddedLeases.OpenAsync(folder.Path, new() { Logger = _log }, _time);

        await UntilAsync(() =>
        {
            _time.Advance(Seconds(1), Seconds(5));
            return Task.FromResult(_log.Of(Stepped).Count > 0);
        });
    }

    private EmbeddedLeases Start() => EmbeddedLeases.InMemory(new() { Logger = _log }, _time);
}
