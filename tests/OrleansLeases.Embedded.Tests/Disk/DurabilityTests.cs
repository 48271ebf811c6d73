using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Disk;

/// <summary>What was answered is on the disk, whatever its syncs said before, and stays there through a loss of power.</summary>
public sealed class DurabilityTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();
    private readonly UnreliableDisk _disk;
    private EmbeddedLeases? _service;

    public DurabilityTests() => _disk = new UnreliableDisk(_folder.Path);

    private EmbeddedLeases Leases => _service!;

    public async Task InitializeAsync() => _service = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);

    public async Task DisposeAsync()
    {
        await Leases.DisposeAsync();
        _disk.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Grants_OnceTold_AreOnTheDisk()
    {
        for (var i = 0; i < 20; i++)
        {
            await Leases.GrantAsync(By("ann", $"r/{i}"));
            await AssertHeldAfterALossOfPowerAsync(_disk, $"r/{i}");
        }
    }

    [Fact]
    public async Task Grant_WhoseSyncFailed_IsOutcomeUnknown_AndOnTheDiskOnceItsRepeatIsTold()
    {
        await Leases.GrantAsync(By("ann", "before"));
        _disk.FailingSyncs = 1;

        await Leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann", "r") with { RequestId = "try" });
        await Leases.GrantAsync(By("ann", "r") with { RequestId = "try" });
        await Leases.GrantAsync(By("ann", "after"));

        foreach (var resource in new[] { "before", "r", "after" }) await AssertHeldAfterALossOfPowerAsync(_disk, resource);
    }

    [Fact]
    public async Task Grant_AfterOpenFilesWereLost_IsStoredByNewOnes()
    {
        await Leases.GrantAsync(By("ann", "before"));
        _disk.Losses++;

        await Leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann", "r") with { RequestId = "try" });
        await Leases.GrantAsync(By("ann", "r") with { RequestId = "try" });

        foreach (var resource in new[] { "before", "r" }) await AssertHeldAfterALossOfPowerAsync(_disk, resource);
    }

    // The log shows the commit to the next process, and is not on the disk: neither that nor what is written behind it.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Grant_WhoseSyncFailedBeforeAKill_IsOnTheDiskOnceTheNextProcessTellsIt(int furtherFailures)
    {
        await Leases.GrantAsync(By("ann", "before"));
        _disk.FailingSyncs = 1;
        await Leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann", "r") with { RequestId = "try" });
        using var folder = new TestFolder();
        using var disk = _disk.AfterAKill(folder.Path);
        disk.FailingSyncs = furtherFailures;

        await using var next = await OpenAtLastAsync(folder.Path, furtherFailures);
        // The first process may have tried its folder again by itself, and so have left fewer syncs to fail at the opening.
        await UntilAsync(
            async () => (await next.AcquireAsync(By("ann", "r") with { RequestId = "try" })).Refusal is not Refusal.OutcomeUnknown);
        await next.GrantAsync(By("ann", "r") with { RequestId = "try" });
        await next.GrantAsync(By("ann", "after"));

        foreach (var resource in new[] { "before", "r", "after" }) await AssertHeldAfterALossOfPowerAsync(disk, resource);
    }

    private async Task<EmbeddedLeases> OpenAtLastAsync(string folder, int failures)
    {
        for (var i = 0; i < failures; i++)
        {
            try
            {
                return await EmbeddedLeases.OpenAsync(folder, time: _time);
            }
            catch (IOException)
            {
                // It says so, rather than to go on with what may not be there.
            }
        }

        return await EmbeddedLeases.OpenAsync(folder, time: _time);
    }

    private async Task AssertHeldAfterALossOfPowerAsync(UnreliableDisk disk, string resource)
    {
        using var folder = new TestFolder();
        disk.AfterALossOfPower(folder.Path);
        await using var leases = await EmbeddedLeases.OpenAsync(folder.Path, time: _time);
        Assert.Equal("ann", Assert.Single((await leases.GetAsync(resource)).Holders).Owner);
    }
}
