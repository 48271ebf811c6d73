namespace OrleansLeases.Core;

/// <summary>
/// One page of a listing as a caller may see it: put together from the parts that it may read, one after the other, so that neither a
/// name nor the place to go on from is ever one that it may not.
/// </summary>
internal static class CallerListing
{
    public static async ValueTask<LeaseResult<LeasePage>> ListAsync(
        IServiceHost host, LeaseCaller caller, ListLeasesRequest request, TimeProvider time, CancellationToken cancellationToken)
    {
        var access = new CallerAccess(caller);
        var leases = new List<LeaseInfo>();
        string? next = null;
        DateTimeOffset? asOf = null;
        foreach (var part in Parts(access.Rights, request.Prefix ?? "", request.After))
        {
            var asked = request with { Prefix = part.Prefix, PageSize = part.IsName ? 1 : request.PageSize - leases.Count };
            var answer = await host.ListAsync(asked, cancellationToken).ConfigureAwait(false);
            if (!answer.TryGetValue(out var page, out var refusal)) return refusal;
            asOf ??= page.AsOf;
            leases.AddRange(page.Leases.Where(lease => !part.IsName || lease.Resource == part.Prefix).Select(access.Of));
            next = part.IsName ? null : page.Next;
            if (next is null && leases.Count == request.PageSize) next = leases[^1].Resource;
            if (next is not null) break;
        }

        return new LeasePage { Leases = leases, Next = next, AsOf = asOf ?? time.GetUtcNow() };
    }

    public static async ValueTask<LeaseResult<KeyPage>> ListAsync(
        IServiceHost host, LeaseCaller caller, ListKeysRequest request, CancellationToken cancellationToken)
    {
        var access = new CallerAccess(caller);
        var keys = new List<KeyValue>();
        string? next = null;
        foreach (var part in Parts(access.Rights, request.Prefix ?? "", request.After))
        {
            var asked = request with { Prefix = part.Prefix, PageSize = part.IsName ? 1 : request.PageSize - keys.Count };
            var answer = await host.ListKeysAsync(asked, cancellationToken).ConfigureAwait(false);
            if (!answer.TryGetValue(out var page, out var refusal)) return refusal;
            var read = page.Keys.Where(key => !part.IsName || key.Key == part.Prefix);
            keys.AddRange(read.Where(key => access.Sees(key.Key, key.Lease)));
            next = part.IsName ? null : page.Next;
            if (next is null && keys.Count == request.PageSize) next = keys[^1].Key;
            if (next is not null) break;
        }

        return new KeyPage { Keys = keys, Next = next };
    }

    /// <summary>Where the names are that a listing may show, in the byte order of their UTF-8.</summary>
    private static IEnumerable<Part> Parts(AccessRights rights, string prefix, string? after)
    {
        if (rights.Readable is [""]) return [new(prefix, IsName: false)];
        // Between a name and those below it others stand in that order: 'jobs', 'jobs-1', 'jobs/7'.
        var parts = rights.Readable.Select(root => new Part(root, IsName: true))
            .Concat(rights.Readable.Select(root => new Part(root + "/", IsName: false)))
            .Select(part => !part.IsName && prefix.StartsWith(part.Prefix, StringComparison.Ordinal) ? part with { Prefix = prefix } : part)
            .Where(part => part.Prefix.StartsWith(prefix, StringComparison.Ordinal) && !part.IsBefore(after));
        return parts.OrderBy(part => part.Prefix, Utf8Order.Instance);
    }

    /// <summary>One name, or all that start with a prefix.</summary>
    private readonly record struct Part(string Prefix, bool IsName)
    {
        public bool IsBefore(string? after) => after is not null && Utf8Order.Instance.Compare(Prefix, after) <= 0
            && (IsName || !after.StartsWith(Prefix, StringComparison.Ordinal));
    }
}
