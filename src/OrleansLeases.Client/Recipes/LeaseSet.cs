namespace OrleansLeases.Client.Recipes;

/// <summary>Several leases held together. Thread-safe.</summary>
public sealed class LeaseSet : IAsyncDisposable
{
    private readonly CancellationTokenSource _lost;

    internal LeaseSet(IReadOnlyList<LeaseHandle> leases)
    {
        Leases = leases;
        _lost = CancellationTokenSource.CreateLinkedTokenSource([.. leases.Select(lease => lease.LostToken)]);
        LostToken = _lost.Token;
    }

    /// <summary>The leases, in the byte order of their resources' names.</summary>
    public IReadOnlyList<LeaseHandle> Leases { get; }

    /// <summary>Cancelled when the first of them is lost, as <see cref="LeaseHandle.LostToken"/> is.</summary>
    public CancellationToken LostToken { get; }

    /// <summary>The lease on one of the resources, for its token.</summary>
    /// <param name="resource">One of the resources that were acquired.</param>
    /// <exception cref="KeyNotFoundException">The resource is not among them.</exception>
    public LeaseHandle this[string resource] =>
        Leases.FirstOrDefault(lease => lease.Resource == resource)
            ?? throw new KeyNotFoundException($"'{resource}' is none of the resources that were acquired.");

    /// <summary>Whether all of them are held for longer than a margin. Does no I/O.</summary>
    /// <param name="margin">The time that is needed, 0 or more.</param>
    /// <returns>Whether they are.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="margin"/> is negative.</exception>
    public bool IsValid(TimeSpan margin = default) => Leases.All(lease => lease.IsValid(margin));

    /// <summary>Releases all of them. Never throws.</summary>
    /// <returns>Completes when the service has responded, or after <see cref="LeaseClientOptions.ReleaseTimeout"/>.</returns>
    public async ValueTask DisposeAsync()
    {
        await ReleaseAsync(Leases).ConfigureAwait(false);
        _lost.Dispose();
    }

    internal static Task ReleaseAsync(IEnumerable<LeaseHandle> leases) => Task.WhenAll(leases.Select(lease => lease.ReleaseAsync()));
}
