using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Keys;

/// <summary>The calls about keys that most tests make.</summary>
internal static class KeyCallsOf
{
    public static KeyLease Lease(this LeaseGrant grant) => new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };

    public static async Task<LeaseResult<KeyPut>> PutAsync(
        this ILeaseService leases, string key, string value, LeaseGrant? bound = null, string? requestId = null) =>
        await leases.PutKeyAsync(key, new PutKeyRequest { Value = value, Lease = bound?.Lease(), RequestId = requestId }).AsTask()
            .WaitAsync(WaitTimeout);

    public static async Task<LeaseResult<CounterValue>> AddAsync(
        this ILeaseService leases, string key, long delta, string? requestId = null, LeaseGrant? bound = null) =>
        await leases.AddToCounterAsync(key, new AddToCounterRequest { Delta = delta, RequestId = requestId, Lease = bound?.Lease() })
            .AsTask().WaitAsync(WaitTimeout);

    public static async Task<string?> ValueAsync(this ILeaseService leases, string key)
    {
        var answer = await leases.GetKeyAsync(key).AsTask().WaitAsync(WaitTimeout);
        if (answer.TryGetValue(out var value, out var refusal)) return value.Value;
        Assert.IsType<Refusal.NotFound>(refusal);
        return null;
    }

    /// <summary>How many stored keys are bound to a lease, whether it is in force or not.</summary>
    public static async Task<int> BoundKeysAsync(this IRecordStore store)
    {
        var bound = 0;
        await foreach (var record in store.RangeAsync(RecordKind.Key, "", heldOnly: true, CancellationToken.None))
        {
            if (record.Key.Binding is not null) bound++;
        }

        return bound;
    }


    /// <summary>Whether any stored lease has keys left to clean up.</summary>
    public static async Task<bool> IsCleanAsync(this IRecordStore store)
    {
        await foreach (var record in store.RangeAsync(RecordKind.Lease, "", heldOnly: false, CancellationToken.None))
        {
            if (record.Lease.Pending is not null) return false;
        }

        return true;
    }
}
