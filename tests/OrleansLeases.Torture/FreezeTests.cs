using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Load;
using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture;

/// <summary>SIGSTOP of the server past deadlines, and SIGCONT: late answers harm nobody.</summary>
public sealed class FreezeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Freeze_PastADeadline_EndsTheLeaseAndServesWhoWaits()
    {
        var ledger = new Ledger();
        await using var server = await Server.StartAsync(_folder.Path);
        var sent = ledger.Now;
        var ann = ledger.Begin((await server.Leases.AcquireAsync(Ask("ann"))).Value, sent);
        var waiting =
            server.Leases.AcquireAsync(Ask("bob") with { Wait = TimeSpan.FromSeconds(20), Ttl = TimeSpan.FromSeconds(30) }).AsTask();
        while ((await server.Leases.GetAsync(new GetLeaseRequest { Resource = "r" })).Value.Waiters == 0)
        {
            await LoadRun.ForAsync(TimeSpan.FromMilliseconds(10));
        }

        server.Freeze();
        await LoadRun.ForAsync(TimeSpan.FromSeconds(4));
        Assert.False(waiting.IsCompleted);
        server.Thaw();

        var bob = (await waiting.WaitAsync(TimeSpan.FromSeconds(30))).Value;
        Assert.True(ledger.Now >= ann.Until);
        Assert.True(bob.Token > ann.Token);
        var refusal = Assert.IsType<Refusal.NotHolder>(
            (await server.Leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "ann", Token = ann.Token })).Refusal);
        Assert.Equal(NotHolderReason.Expired, refusal.Reason);
        Assert.Equal(
            bob.Token, (await server.Leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "bob", Token = bob.Token })).Value.Token);
    }

    [Fact]
    public async Task Freeze_WithARenewalUnderWay_TellsNoMoreThanIsLeft()
    {
        var ledger = new Ledger();
        await using var server = await Server.StartAsync(_folder.Path);
        var ann = (await server.Leases.AcquireAsync(Ask("ann") with { Ttl = TimeSpan.FromSeconds(30) })).Value;
        server.Freeze();
        var sent = ledger.Now;
        var renewing = server.Leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "ann", Token = ann.Token }).AsTask();
        await LoadRun.ForAsync(TimeSpan.FromSeconds(2));
        server.Thaw();

        var renewal = (await renewing.WaitAsync(TimeSpan.FromSeconds(30))).Value;

        // Counted from its sending, whatever the delay was: no later than 30 s from now.
        Assert.True(sent + renewal.Elapsed + renewal.Remaining <= ledger.Now + TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.FromSeconds(30), renewal.Ttl);
    }

    private static AcquireRequest Ask(string owner) => new() { Resource = "r", Owner = owner, Ttl = TimeSpan.FromSeconds(2) };
}
