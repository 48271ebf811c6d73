using System.Text.Json.Serialization;

namespace OrleansLeases.Cli.Overview;

/// <summary>What is held, and how many wait for it.</summary>
/// <param name="Names">The resources in the order of their names. Those whose queue was asked for say how many wait.</param>
/// <param name="HasMore">Whether there are more than <paramref name="Names"/>.</param>
internal sealed record HeldNames([property: JsonIgnore] IReadOnlyList<LeaseInfo> Names, bool HasMore)
{
    // A page of a listing, and as many calls as a batch takes.
    private const int Most = 1_000;

    /// <summary>How many resources are held.</summary>
    public int Held => Names.Count;

    /// <summary>How many requests wait for them.</summary>
    public int Waiting => Names.Sum(lease => lease.Waiters ?? 0);

    /// <summary>Lists what is held, then asks each for its queue, which no listing has.</summary>
    public static async Task<LeaseResult<HeldNames>> ReadAsync(ILeaseService service, string? prefix, CancellationToken cancellationToken)
    {
        var listed = await service.ListAsync(
            new ListLeasesRequest { Prefix = prefix, State = LeaseFilter.Held, PageSize = Most }, cancellationToken);
        if (!listed.TryGetValue(out var page, out var refusal)) return refusal;
        if (page.Leases.Count == 0) return new HeldNames([], false);

        var asked = await service.BatchAsync(
            new BatchRequest
            {
                Operations = [.. page.Leases.Select(lease => new BatchOperation.Get(new GetLeaseRequest { Resource = lease.Resource }))],
            },
            cancellationToken);
        if (!asked.TryGetValue(out var reply, out refusal)) return refusal;

        // Of what gave no answer, the listing stands. What has ended since it was made is not held.
        var names = page.Leases
            .Select((lease, i) => reply.Results[i].As<LeaseInfo>().TryGetValue(out var now, out _) ? now : lease)
            .Where(lease => lease.Holders.Count > 0);
        return new HeldNames([.. names], page.Next is not null);
    }
}
