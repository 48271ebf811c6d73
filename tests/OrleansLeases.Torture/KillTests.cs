using System.Globalization;
using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Load;
using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture;

/// <summary><c>kill -9</c> of the server under load, again and again: what holders were told stays true, and who watches misses nothing unsaid.</summary>
public sealed class KillTests : IDisposable
{
    // LEASES_TORTURE_ROUNDS makes it a long run.
    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("LEASES_TORTURE_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 8;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Kill_UnderLoad_LosesNothingThatWasTold()
    {
        await using var run = await LoadRun.StartAsync(_folder.Path);
        await using var watchers = await Watchers.StartAsync(run);
        var random = new Random(1);
        for (var round = 0; round < Rounds; round++)
        {
            await LoadRun.ForAsync(TimeSpan.FromMilliseconds(random.Next(400, 1800)));
            await run.KillAndRestartAsync();
        }

        await LoadRun.ForAsync(TimeSpan.FromSeconds(1));
        await run.AssertSoundAsync();
        await watchers.AssertSoundAsync();
    }

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
        Assert.Equal(grant.Token, (await after.Leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "ann", Token = grant.Token })).Value.Token);
        Assert.Null((await after.Leases.ReleaseAsync(new ReleaseRequest { Resource = "r", Owner = "ann", Token = grant.Token })).Refusal);
        Assert.True((await after.Leases.AcquireAsync(Ask("bob"))).Value.Token > grant.Token);
    }

    [Fact]
    public async Task Kill_AfterRenewalsInMemory_FreesNothingEarly()
    {
        var ledger = new Ledger();
        Ledger.Tenure tenure;
        await using (var before = await Server.StartAsync(_folder.Path))
        {
            var sent = ledger.Now;
            tenure = ledger.Begin((await before.Leases.AcquireAsync(Ask("ann") with { Ttl = TimeSpan.FromSeconds(2) })).Value, sent);
            for (var i = 0; i < 8; i++)
            {
                await LoadRun.ForAsync(TimeSpan.FromMilliseconds(300));
                sent = ledger.Now;
                var renewal = (await before.Leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "ann", Token = tenure.Token })).Value;
                tenure.Until = sent + renewal.Elapsed + renewal.Remaining;
            }

            await before.KillAsync();
        }

        await using var after = await Server.StartAsync(_folder.Path);
        var next = (await after.Leases.AcquireAsync(Ask("bob") with { Wait = TimeSpan.FromSeconds(20) })).Value;

        Assert.True(ledger.Now >= tenure.Until, "It was granted to another before the deadline that its holder was told.");
        Assert.True(next.Token > tenure.Token);
    }

    private static AcquireRequest Ask(string owner) => new() { Resource = "r", Owner = owner, Ttl = TimeSpan.FromSeconds(30) };
}
