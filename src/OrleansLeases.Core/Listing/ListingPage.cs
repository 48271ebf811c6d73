namespace OrleansLeases.Core;

/// <summary>One page of a listing, filled from stored records in the byte order of their names. Not thread-safe.</summary>
internal sealed class ListingPage
{
    // A page that finds little among many records ends early with a place to go on from, so that no call is long.
    private const int ReadAtMost = 20_000;

    // A lease lists its holders with their metadata and the names of their keys; a page that has many of them ends early as well.
    private const int HoldersAndKeysAtMost = 10_000;

    private readonly ListLeasesRequest _request;
    private readonly string _prefix;
    private readonly Instant _now;
    private readonly LeaseRules _rules;
    private readonly List<LeaseInfo> _leases = [];
    private string? _last;
    private string? _next;
    private int _read;
    private int _holdersAndKeys;

    /// <summary>Starts a page.</summary>
    /// <param name="request">What is listed; checked.</param>
    /// <param name="now">A reading of the host's clock, from before the records are read.</param>
    /// <param name="rules">The host's rules.</param>
    public ListingPage(ListLeasesRequest request, Instant now, LeaseRules rules)
    {
        ArgumentNullException.ThrowIfNull(request);
        (_request, _now, _rules) = (request, now, rules);
        _prefix = request.Prefix ?? "";
        From = request.After is { } after && Utf8Order.Instance.Compare(after, _prefix) > 0 ? after : _prefix;
    }

    /// <summary>The first name that may come.</summary>
    public string From { get; }

    /// <summary>Takes the next record.</summary>
    /// <param name="resource">Its name.</param>
    /// <param name="state">The record as it was stored.</param>
    /// <returns>False once the page wants no more.</returns>
    public bool Add(string resource, LeaseState state)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(state);
        if (resource == _request.After) return true;
        if (!resource.StartsWith(_prefix, StringComparison.Ordinal)) return false;
        if (_leases.Count == _request.PageSize || _read == ReadAtMost || _holdersAndKeys >= HoldersAndKeysAtMost)
        {
            _next = _last;
            return false;
        }

        _read++;
        _last = resource;
        if (!Matches(state)) return true;
        _leases.Add(LeaseViews.Stored(resource, state, _now, _rules));
        _holdersAndKeys += state.Holders.Sum(holder => 1 + (holder.Keys?.Count ?? 0));
        return true;
    }

    /// <summary>Ends the page.</summary>
    /// <returns>The page.</returns>
    public LeasePage ToPage() => new() { Leases = _leases, Next = _next, AsOf = DateTimeOffset.UnixEpoch + _now.Latest };

    private bool Matches(LeaseState state)
    {
        if (_request.Owner is { } owner && !state.Holders.Any(holder => holder.Owner == owner)) return false;
        return _request.State switch
        {
            LeaseFilter.Held => !state.Holders.IsEmpty,
            LeaseFilter.Free => state.Holders.IsEmpty,
            _ => true,
        };
    }
}
