namespace OrleansLeases.Client.Recipes;

/// <summary>A key that only the holder of a lease writes, and that outlives the lease.</summary>
/// <remarks>
/// The holder first claims it: it writes the key, bound to its lease, over the version it has read, which compares with the store. At
/// the end it unbinds the key by compare-and-swap over its own claim, which exists only while its lease is in force. So a holder that
/// was paused past its deadline writes nothing. A reader treats a bound key as absent.
/// </remarks>
internal static class SettledKey
{
    /// <summary>Reads a free-standing key; null where there is none.</summary>
    public static async Task<KeyValue?> ReadAsync(LeaseClient client, string key, CancellationToken cancellationToken) =>
        await Retry.ReadKeyAsync(client, key, cancellationToken).ConfigureAwait(false) is { Lease: null } value ? value : null;

    /// <summary>Claims a key under a lease.</summary>
    /// <param name="client">The client whose service is called.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="key">The key.</param>
    /// <param name="ifVersion">Only over this version; 0 only where there is none.</param>
    /// <returns>The version of the claim; null where the key has another one.</returns>
    /// <exception cref="LeaseLostException">The lease is over.</exception>
    /// <exception cref="LeaseRefusedException">The service did not respond, or refused.</exception>
    public static async Task<long?> ClaimAsync(LeaseClient client, LeaseHandle lease, string key, long ifVersion)
    {
        var holder = new KeyLease { Resource = lease.Resource, Owner = lease.Owner, Token = lease.Token };
        var claim = await PutAsync(
            client, lease, key,
            new()
            {
                Value = $"claimed by {lease.Owner} with token {lease.Token}", Lease = holder, IfVersion = ifVersion,
            }).ConfigureAwait(false);
        return claim?.Version;
    }

    /// <summary>Writes a claimed key for good.</summary>
    /// <param name="client">The client whose service is called.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">What to write.</param>
    /// <param name="claim">What <see cref="ClaimAsync"/> returned.</param>
    /// <returns>Whether it was written; false where the claim is gone: the lease is over, or others changed the key.</returns>
    /// <exception cref="LeaseLostException">The lease is over.</exception>
    /// <exception cref="LeaseRefusedException">The service did not respond, or refused the value.</exception>
    public static async Task<bool> SettleAsync(LeaseClient client, LeaseHandle lease, string key, string value, long claim) =>
        await PutAsync(client, lease, key, new() { Value = value, IfVersion = claim }).ConfigureAwait(false) is not null;

    private static async Task<KeyPut?> PutAsync(LeaseClient client, LeaseHandle lease, string key, PutKeyRequest request)
    {
        request = request with { RequestId = RequestIds.New() };
        var put = await Retry.MakeAsync(
            client, stop => client.Service.PutKeyAsync(key, request, stop), lease.LostToken).ConfigureAwait(false);
        if (put.TryGetValue(out var written, out var refusal)) return written;
        return (lease.LossByNow, refusal) switch
        {
            ({ } loss, _) => throw new LeaseLostException(loss),
            (_, Refusal.NotHolder over) => throw new LeaseLostException(new(over.Reason, over.Detail)),
            (_, Refusal.Conflict) => null,
            _ => throw new LeaseRefusedException(refusal),
        };
    }
}
