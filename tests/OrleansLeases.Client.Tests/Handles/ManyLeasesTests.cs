using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests.Handles;

public sealed class ManyLeasesTests
{
    private const int Leases = 10_000;

    [Fact]
    public async Task TenThousandLeases_AtAHealthyService_AreRenewedInBatchesAndNoneIsLost()
    {
        await using var fixture = new HandleFixture();
        var leases = new List<LeaseHandle>(Leases);
        for (var number = 0; number < Leases; number++) leases.Add(await fixture.AcquireAsync($"r{number}"));

        await fixture.AdvanceAsync(TimeSpan.FromSeconds(65));

        Assert.All(leases, lease => Assert.True(lease.IsValid(TimeSpan.FromSeconds(19))));
        var sizes = fixture.Network.Sent<RenewBatchRequest>().Select(request => request.Leases.Count).ToArray();
        Assert.InRange(sizes.Sum(), 6 * Leases, 8 * Leases);
        Assert.InRange(sizes.Length, 6 * Leases / 1_000, 300);
    }
}
