using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains.Tests;

/// <summary>The store of a silo among an application's health checks.</summary>
public sealed class StoreHealthTests
{
    [Fact]
    public async Task Check_HasTheReasonAndTheKindOfTheTrouble()
    {
        var store = new Troubled();
        var services = new ServiceCollection().AddLogging().AddSingleton(new LeaseStorage(store));
        services.AddHealthChecks().AddLeaseStore();
        await using var provider = services.BuildServiceProvider();
        var checks = provider.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Healthy, (await checks.CheckHealthAsync()).Status);

        store.Trouble = new(StorageTroubleKind.Unfit, "The clock is 3.0 s behind; synchronize the clocks.");
        var entry = (await checks.CheckHealthAsync()).Entries["leases-store"];

        Assert.Equal(
            (HealthStatus.Unhealthy, store.Trouble.Reason, "Unfit"), (entry.Status, entry.Description, entry.Data["trouble"]));
    }

    private sealed class Troubled : IRecordStore
    {
        public StorageTrouble? Trouble { get; set; }

        public bool IsDurable => true;

        public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) => throw new NotSupportedException();

        public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<StoredRecord> RangeAsync(
            RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
