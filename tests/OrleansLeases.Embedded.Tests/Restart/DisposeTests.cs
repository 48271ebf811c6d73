using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Restart;

/// <summary>Disposing drains: waiters are told, saves under way finish, and nothing is answered as if it had happened.</summary>
public sealed class DisposeTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Waiters_AreAnswered(bool durable)
    {
        var leases = await OpenAsync(durable);
        await leases.GrantAsync(By("ann"));
        var bob = await leases.WaitInQueueAsync(By("bob"));
        var cid = await leases.WaitInQueueAsync(By("cid"));

        await leases.DisposeAsync();

        // Unknown, where a turn was just ending: it might have been storing a grant for them.
        Assert.True((await bob.WaitAsync(WaitTimeout)).Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown);
        Assert.True((await cid.WaitAsync(WaitTimeout)).Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EveryCall_AfterwardsIsUnavailable(bool durable)
    {
        var leases = await OpenAsync(durable);
        var grant = await leases.GrantAsync(By("ann"));
        await leases.DisposeAsync();
        await leases.DisposeAsync();

        await leases.RefusedAsync<Refusal.Unavailable>(By("bob"));
        Assert.IsType<Refusal.Unavailable>((await leases.RenewAsync(grant)).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.ReleaseAsync(grant)).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.GetAsync(new GetLeaseRequest { Resource = R })).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.ListAsync(new ListLeasesRequest())).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.HistoryAsync(R)).Refusal);
        Assert.IsType<Refusal.Unavailable>((await leases.InfoAsync()).Refusal);
    }

    [Fact]
    public async Task CallsUnderWay_AreEitherDoneAndKeptOrRefused()
    {
        for (var round = 0; round < 10; round++)
        {
            var leases = await OpenAsync(durable: true);
            var calls = Enumerable.Range(0, 100).Select(i => Task.Run(() => leases.AcquireAsync(By("ann", $"round-{round}/{i}")).AsTask()))
                .ToList();
            await leases.AcquireAsync(By("ann", $"round-{round}/first"));
            await leases.DisposeAsync();
            var answers = await Task.WhenAll(calls).WaitAsync(WaitTimeout);

            await using var after = await OpenAsync(durable: true);
            foreach (var (answer, i) in answers.Select((answer, i) => (answer, i)))
            {
                if (answer.TryGetValue(out var grant, out var refusal))
                    Assert.Equal(grant.Token, (await after.RenewAsync(grant)).Value.Token);
                else if (refusal is Refusal.Unavailable)
                    Assert.Equal(0, (await after.GetAsync($"round-{round}/{i}")).LastToken);
                else
                    Assert.Fail($"A drain leaves nothing open, but said {refusal}.");
            }
        }
    }

    [Fact]
    public async Task Folder_IsFreeAgainOnceDisposed()
    {
        for (var i = 0; i < 3; i++)
        {
            var leases = await OpenAsync(durable: true);
            await leases.GrantAsync(By("ann", $"fleet/{i}"));
            await leases.DisposeAsync();
        }

        // Everything is in the file itself; the log was closed with it.
        Assert.False(File.Exists(_folder.Database + "-wal"));
    }

    private async Task<EmbeddedLeases> OpenAsync(bool durable) =>
        durable ? await EmbeddedLeases.OpenAsync(_folder.Path, time: _time) : EmbeddedLeases.InMemory(time: _time);
}
