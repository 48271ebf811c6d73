using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>A full disk refuses, loses nothing, takes no other save with it, and recovers when there is room.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();
    private readonly List<LeaseGrant> _held = [];
    private EmbeddedLeases? _service;

    private EmbeddedLeases Leases => _service!;

    // A disk with a few leases, something else that takes up room, and no page left.
    public async Task InitializeAsync()
    {
        await using (var roomy = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time))
        {
            for (var i = 0; i < 8; i++) _held.Add(await roomy.GrantAsync(By("ann", $"held/{i}")));
        }

        _folder.Execute("CREATE TABLE ballast (block BLOB); INSERT INTO ballast VALUES (randomblob(200000))");
        _service = Engines.OnSmallDisk(_folder, _folder.Number("PRAGMA page_count"), _time);
    }

    public async Task DisposeAsync()
    {
        await Leases.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Acquire_WithoutRoom_IsUnavailableAndChangesNothing()
    {
        var name = await FillAsync();

        var refusal = await Leases.RefusedAsync<Refusal.Unavailable>(Big(name));

        Assert.True(refusal.RetryAfter > TimeSpan.Zero);
        Assert.Equal(0, (await Leases.GetAsync(name)).LastToken);
        Assert.Equal(0, (await Leases.GetAsync(name, consistent: true)).LastToken);
    }

    [Fact]
    public async Task SmallSaves_InTheSameBatchAsOneWithoutRoom_Succeed()
    {
        await FillAsync();
        Task<LeaseResult<LeaseGrant>>[] big;
        Task<LeaseResult<LeaseRenewal>>[] small;
        using (var other = _folder.Connect())
        {
            // The writer waits for this lock with its first save; the rest gathers behind it as one batch.
            other.Run("BEGIN IMMEDIATE");
            var first = Leases.RenewAsync(_held[7], Seconds(31));
            big = [.. Enumerable.Range(0, 4).Select(i => Leases.AcquireAsync(Big($"big/{i}")).AsTask())];
            // A new time to live is stored; it takes no more room than the old one.
            small = [.. _held.Take(7).Select(grant => Leases.RenewAsync(grant, Seconds(31)))];
            other.Run("ROLLBACK");
            await first;
        }

        Assert.All(await Task.WhenAll(small), answer => Assert.Equal(Seconds(31), answer.Value.Ttl));
        Assert.All(await Task.WhenAll(big), answer => Assert.IsType<Refusal.Unavailable>(answer.Refusal));
    }

    [Fact]
    public async Task NothingIsLost_AndARestartFindsAllThatWasTold()
    {
        var granted = new List<LeaseGrant>();
        var refused = new List<string>();
        for (var i = 0; i < 60; i++)
        {
            var answer = await Leases.AcquireAsync(Big($"big/{i}"));
            if (answer.TryGetValue(out var grant, out _)) granted.Add(grant);
            else refused.Add($"big/{i}");
        }

        Assert.NotEmpty(refused);
        await Leases.DisposeAsync();
        await using var after = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
        foreach (var grant in granted.Concat(_held)) Assert.Equal(grant.Token, (await after.RenewAsync(grant)).Value.Token);
        foreach (var name in refused) Assert.Equal(0, (await after.GetAsync(name)).LastToken);
    }

    [Fact]
    public async Task OnceThereIsRoom_ItGoesOn()
    {
        var name = await FillAsync();
        _folder.Execute("DROP TABLE ballast");

        var grant = await Leases.GrantAsync(Big(name));

        Assert.Equal(Seconds(30), grant.Remaining);
        Assert.Equal(grant.Token, (await Leases.RenewAsync(grant)).Value.Token);
        await Leases.ReleaseAsync(grant);
    }

    [Fact]
    public async Task Waiter_WhileTheEndOfTheLeaseCannotBeStored_IsAnsweredInTimeAndServedLater()
    {
        await FillAsync();
        var name = _held[0].Resource;
        var impatient = await Leases.WaitInQueueAsync(Big(name, "bob") with { Wait = Seconds(15) });
        _time.Advance(Seconds(15));
        Assert.IsType<Refusal.Held>((await impatient.WaitAsync(WaitTimeout)).Refusal);
        var patient = await Leases.WaitInQueueAsync(Big(name, "cid") with { Wait = Seconds(25) });

        // The holder's time is up, but neither that nor the next grant can be stored.
        _time.Advance(Seconds(16));
        Assert.IsType<Refusal.Unavailable>((await Leases.AcquireAsync(Big(name, "dan"))).Refusal);
        Assert.False(patient.IsCompleted);
        _folder.Execute("DROP TABLE ballast");
        // The store is asked again every second; each time gets real time to be answered.
        for (var i = 0; i < 6 && !patient.IsCompleted; i++)
        {
            _time.Advance(Seconds(1));
            await Task.WhenAny(patient, Task.Delay(Seconds(1), TimeProvider.System));
        }

        Assert.Equal("cid", (await patient.WaitAsync(WaitTimeout)).Value.Owner);
    }

    /// <summary>Takes what room is left; the answer is a name for which there is none.</summary>
    private async Task<string> FillAsync()
    {
        for (var i = 0; i < 100; i++)
        {
            if ((await Leases.AcquireAsync(Big($"filler/{i}") with { Ttl = TimeSpan.FromHours(1) })).Refusal is Refusal.Unavailable)
            {
                return $"filler/{i}";
            }
        }

        throw new InvalidOperationException("The disk should be full by now.");
    }

    private static AcquireRequest Big(string name, string owner = "ann") =>
        By(owner, name) with { Metadata = new Dictionary<string, string> { ["note"] = new('n', 2000) } };
}
