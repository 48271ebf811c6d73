using OrleansLeases.Embedded;
using OrleansLeases.OutsideStore;

namespace OrleansLeases.Conformance;

/// <summary>The example of docs/writing-a-store.md for one process.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public async Task EmbeddedEngine_TakesAStore()
    {
        // README: A store in one process
        await using var leases = await EmbeddedLeases.OpenAsync(new ByteStore());
        // README: end
        Assert.Equal(LeaseStatus.Free, (await leases.GetAsync(new() { Resource = "orders/42" })).Value.State);
    }
}
