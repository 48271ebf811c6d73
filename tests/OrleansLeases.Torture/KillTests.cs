using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Load;
using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture;

/// <summary><c>kill -9</c> of the server: what holders were told stays true.</summary>
public sealed class KillTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Kill_WhileHeld_LetsTheHolderResumeWithItsToken()
    {
        LeaseGrant grant;
        await using (var before = await Server.StartAsync(_folder.Path))
        {
            grant = (await before.Leases.AcquireAsync(Ask("ann") with { RequestId = "acquire" })).Value;
            await before.KillAsync();
        }

        await using var after = await Server.StartAsync(_folder.Path);

        var repeat = (await after.Leases.AcquireAsync(Ask("ann") with { RequestId = "acquire" })).Value;
        Assert.Equal(grant.Token, repeat.Token);
        Assert.True(repeat.Replayed);
        Assert.IsType<Refusal.Held>((await after.Leases.AcquireAsync(Ask("bob"))).Refusal);
        Assert.Equal(
            grant.Token,
            (await after.Leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "ann", Token = grant.Token })).Value.Token);
        Assert.Null((await after.Leases.ReleaseAsync(new ReleaseRequest { Resource = "r", Owner = "ann", Token = grant.Token })).Refusal);
        Assert.True((await after.Leases.AcquireAsync(Ask("bob"))).Value.Token > grant.Token);
    }

    [Fact]
    public async Task Kill_AfterRenewalsInMemory_FreesNothingEarly()
    {
        var ledger = new Ledger();
        Ledger.Tenure? tenure = null;
        await using (var before = await Server.StartAsync(_folder.Path))
        {
            // On a busy machine a renewal may come too late, and then there is nothing to lose.
            while (tenure is null) tenure = await HoldRenewedAsync(before.Leases, ledger);
            await before.KillAsync();
        }

        await using var after = await Server.StartAsync(_folder.Path);
        var next = (await after.Leases.AcquireAsync(Ask("bob") with { Wait = TimeSpan.FromSeconds(20) })).Value;

        Assert.True(ledger.Now >= tenure.Until, "It was granted to another before the deadline that its holder was told.");
        Assert.True(next.Token > tenure.Token);
    }

    // Renews until past the end that was stored with the grant; null where that came too late.
    private static async Task<Ledger.Tenure?> HoldRenewedAsync(ILeaseService leases, Ledger ledger)
    {
        var sent = ledger.Now;
        var acquired = await leases.AcquireAsync(Ask("ann") with { Ttl = TimeSpan.FromSeconds(2) });
        if (!acquired.TryGetValue(out var grant, out var refusal)) return TooLate(refusal, sent + TimeSpan.FromSeconds(2));
        var tenure = ledger.Begin(grant, sent);
        for (var i = 0; i < 8; i++)
        {
            await LoadRun.ForAsync(TimeSpan.FromMilliseconds(300));
            sent = ledger.Now;
            var renewed = await leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "ann", Token = tenure.Token });
            if (!renewed.TryGetValue(out var renewal, out refusal)) return TooLate(refusal, tenure.Until);
            tenure.Until = sent + renewal.Elapsed + renewal.Remaining;
        }

        return tenure;

        Ledger.Tenure? TooLate(Refusal refusal, TimeSpan deadline)
        {
            Assert.IsType<Refusal.NotHolder>(refusal);
            Assert.True(ledger.Now >= deadline, "The lease was over before the deadline that its holder was told.");
            return null;
        }
    }

    private static AcquireRequest Ask(string owner) => new() { Resource = "r", Owner = owner, Ttl = TimeSpan.FromSeconds(30) };
}
