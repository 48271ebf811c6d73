namespace OrleansLeases.Client.Recipes;

/// <summary>A key that only the holder of a lease writes, and that outlives the lease.</summary>
/// <remarks>
/// It is written in two steps: bound to the lease, which the service does only while that is in force, and then set free
/// by compare-and-swap. So a holder that was paused past its end writes nothing. Until the second step the key may vanish
/// with the lease: who reads it takes it for written only once it stands free.
/// </remarks>
internal static class SettledKey
{
    /// <summary>Reads a key that stands free; null where there is none.</summary>
    public static async Task<KeyValue?> ReadAsync(LeaseClient client, string key, CancellationToken cancellationToken) =>
        await Repeats.ReadKeyAsync(client, key, cancellationToken).ConfigureAwait(false) is { Lease: null } value ? value : null;

    /// <summary>Writes a key under a lease.</summary>
    /// <param name="client">Whose service is asked.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">What to write.</param>
    /// <param name="ifVersion">Only over this version; 0 only where there is none.</param>
    /// <returns>Whether it was written; false where the key was changed by others, before or in between.</returns>
    /// <exception cref="LeaseLostException">The lease was over before it was written.</exception>
    /// <exception cref="LeaseRefusedException">The service did not answer, or refused the value.</exception>
    public static async Task<bool> WriteAsync(LeaseClient client, LeaseHandle lease, string key, string value, long ifVersion)
    {
        var holder = new KeyLease { Resource = lease.Resource, Owner = lease.Owner, Token = lease.Token };
        if (await PutAsync(client, lease, key, new() { Value = value, Lease = holder, IfVersion = ifVersion }).ConfigureAwait(false) is { } bound
            && await PutAsync(client, lease, key, new() { Value = value, IfVersion = bound.Version }).ConfigureAwait(false) is not null) return true;
        return lease.LossByNow is { } loss ? throw new LeaseLostException(loss) : false;
    }

    private static async Task<KeyPut?> PutAsync(LeaseClient client, LeaseHandle lease, string key, PutKeyRequest request)
    {
        request = request with { RequestId = Repeats.NewRequestId() };
        var put = await Repeats.MakeAsync(client.Time, stop => client.Service.PutKeyAsync(key, request, stop), lease.LostToken).ConfigureAwait(false);
        if (put.TryGetValue(out var written, out var refusal)) return written;
        return refusal switch
        {
            Refusal.Conflict => null,
            Refusal.NotHolder over => throw new LeaseLostException(lease.LossByNow ?? new(over.Reason, over.Detail)),
            _ => throw new LeaseRefusedException(refusal),
        };
    }
}
