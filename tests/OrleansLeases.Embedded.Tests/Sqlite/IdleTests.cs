using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Sqlite;

/// <summary>Resources that nobody holds or asks for leave memory, and come back as they were.</summary>
public sealed class IdleTests : IAsyncLifetime
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
    public async Task FreeResources_LeaveMemoryAfterAWhile()
    {
        for (var i = 0; i < 50; i++) await Leases.ReleaseAsync(await Leases.GrantAsync(By("ann", $"fleet/{i}")));
        Assert.Equal(50, Leases.KeepersInMemory());

        await UntilIdleAsync(0);

        for (var i = 0; i < 50; i++) Assert.Equal(2, (await Leases.GetAsync($"fleet/{i}")).Sequence);
    }

    [Fact]
    public async Task HeldResources_Stay()
    {
        var grant = await Leases.GrantAsync(By("ann") with { Ttl = TimeSpan.FromHours(1) });
        await Leases.GetAsync("only asked about");

        await UntilIdleAsync(1);

        Assert.Equal(grant.Token, (await Leases.RenewAsync(grant)).Value.Token);
    }

    [Fact]
    public async Task ExpiredResources_LeaveMemoryWithoutAnyoneAsking()
    {
        for (var i = 0; i < 50; i++) await Leases.GrantAsync(By("ann", $"fleet/{i}"));
        _time.Advance(Seconds(30));

        await UntilIdleAsync(0);
    }

    [Fact]
    public async Task Tokens_AreRememberedThroughIt()
    {
        var tokens = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            var grant = await Leases.GrantAsync(By("ann"));
            tokens.Add(grant.Token);
            await Leases.ReleaseAsync(grant);
            await UntilIdleAsync(0);
        }

        Assert.Equal(tokens.Order().Distinct(), tokens);
        NotHolder(await Leases.RenewAsync(new LeaseGrant
        {
            Resource = R, Owner = "ann", Token = tokens[0], Mode = LeaseMode.Exclusive, Ttl = Seconds(30),
            Remaining = default, Elapsed = default, RenewAfter = default, RequestId = "",
        }), NotHolderReason.Released);
    }

    private Task UntilIdleAsync(int keepers) => UntilAsync(() =>
    {
        _time.Advance(Seconds(1));
        return Task.FromResult(Leases.KeepersInMemory() == keepers);
    });
}
