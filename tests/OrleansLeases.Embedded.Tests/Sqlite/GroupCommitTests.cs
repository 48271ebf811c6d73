using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>Saves that come together share a transaction; and one that the lock keeps out is refused, not lost.</summary>
public sealed class GroupCommitTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();
    private EmbeddedLeases? _service;

    private EmbeddedLeases Leases => _service!;

    public async Task InitializeAsync() => _service = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);

    public async Task DisposeAsync()
    {
        await Leases.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task SavesThatComeTogether_ShareATransaction()
    {
        Task<LeaseResult<LeaseGrant>>[] calls;
        int before;
        using (var other = _folder.Connect())
        {
            other.Run("BEGIN IMMEDIATE");
            before = _folder.CommitsInLog();
            calls = [.. Enumerable.Range(0, 400).Select(i => Leases.AcquireAsync(By("ann", $"fleet/{i}")).AsTask())];
            other.Run("ROLLBACK");
        }

        var answers = await Task.WhenAll(calls).WaitAsync(WaitTimeout);

        Assert.All(answers, answer => Assert.Null(answer.Refusal));
        // Those that had gathered before the writer found the lock, and the rest.
        Assert.InRange(_folder.CommitsInLog() - before, 1, 3);
    }

    [Fact]
    public async Task OneResource_TakesTurnsAndStaysOneTransactionPerChange()
    {
        var before = _folder.CommitsInLog();
        for (var i = 0; i < 10; i++) await Leases.ReleaseAsync(await Leases.GrantAsync(By("ann")));

        Assert.Equal(20, _folder.CommitsInLog() - before);
    }

    [Fact]
    public async Task RenewalsInMemory_WriteNothing()
    {
        var grant = await Leases.GrantAsync(By("ann"));
        await Leases.RenewAsync(grant);
        _time.Advance(Seconds(1));
        await Leases.RenewAsync(grant);
        var before = _folder.CommitsInLog();

        for (var i = 0; i < 20; i++)
        {
            _time.Advance(Seconds(1));
            Assert.Equal(Seconds(30), (await Leases.RenewAsync(grant)).Value.Remaining);
        }

        Assert.Equal(before, _folder.CommitsInLog());
    }

    [Fact]
    public async Task Reads_AndRefusals_WriteNothing()
    {
        await Leases.GrantAsync(By("ann"));
        var before = _folder.CommitsInLog();

        await Leases.RefusedAsync<Refusal.Held>(By("bob"));
        await Leases.GetAsync(consistent: true);
        await Leases.GetAsync("unused");
        await Leases.HistoryAsync(R);
        await Leases.ListAsync(new ListLeasesRequest());

        Assert.Equal(before, _folder.CommitsInLog());
    }

    [Fact]
    public async Task DatabaseLockedByAnother_IsUnavailableAndChangesNothing()
    {
        using (var other = _folder.Connect())
        {
            other.Run("BEGIN IMMEDIATE");
            // The engine waits for the lock for 5 s of real time.
            await Leases.RefusedAsync<Refusal.Unavailable>(By("ann"));
        }

        Assert.Equal(0, (await Leases.GetAsync(consistent: true)).LastToken);
        await Leases.GrantAsync(By("ann"));
    }
}
