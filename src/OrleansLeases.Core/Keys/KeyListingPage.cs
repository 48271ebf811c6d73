using System.Text;

namespace OrleansLeases.Core;

/// <summary>One page of a listing of keys, filled from stored records in the byte order of their names. Not thread-safe.</summary>
internal sealed class KeyListingPage
{
    // A page that finds little among many records, or much in few, ends early with a place to go on from.
    private const int ReadAtMost = 20_000;
    private const int BytesAtMost = 1024 * 1024;

    // A page may show the keys of as many leases as it has keys, and each may have to be loaded.
    private const int LeasesAtOnce = 64;

    private readonly ListKeysRequest _request;
    private readonly Instant _now;
    private readonly LeaseRules _rules;
    private readonly string _prefix;
    private readonly List<(string Key, KeyState State)> _found = [];
    private string? _last;
    private string? _next;
    private int _read;
    private int _bytes;

    /// <summary>Starts a page.</summary>
    /// <param name="request">What is listed; checked.</param>
    /// <param name="now">A reading of the host's clock.</param>
    /// <param name="rules">The host's rules.</param>
    public KeyListingPage(ListKeysRequest request, Instant now, LeaseRules rules)
    {
        ArgumentNullException.ThrowIfNull(request);
        (_request, _now, _rules) = (request, now, rules);
        _prefix = request.Prefix ?? "";
        From = request.After is { } after && Utf8Order.Instance.Compare(after, _prefix) > 0 ? after : _prefix;
    }

    /// <summary>The first name that may come.</summary>
    public string From { get; }

    /// <summary>Takes the next record.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="state">The record as it was stored.</param>
    /// <returns>False once the page wants no more.</returns>
    public bool Add(string key, KeyState state)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(state);
        if (key == _request.After) return true;
        if (!key.StartsWith(_prefix, StringComparison.Ordinal)) return false;
        if (_found.Count == _request.PageSize || _read == ReadAtMost || _bytes >= BytesAtMost)
        {
            _next = _last;
            return false;
        }

        _read++;
        _last = key;
        if (state.Value is not { } value || state.Resume(_now, _rules).IsOver(_now)) return true;
        _found.Add((key, state));
        _bytes += Encoding.UTF8.GetByteCount(value);
        return true;
    }

    /// <summary>Ends the page: leaves out the keys whose leases have ended, asking each resource once.</summary>
    /// <param name="keepers">The keepers of the leases.</param>
    /// <param name="time">The clock of the time limits.</param>
    /// <returns>The page, or the refusal where a lease did not respond.</returns>
    public async Task<LeaseResult<KeyPage>> ToPageAsync(IKeepers keepers, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(keepers);
        var resources = _found.Select(entry => entry.State.Binding?.Resource).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        var inForce = new Dictionary<string, IReadOnlyCollection<long>>(StringComparer.Ordinal);
        foreach (var portion in resources.Chunk(LeasesAtOnce))
        {
            var answers = await Task.WhenAll(portion.Select(resource => KeyOperations.ActiveTokensAsync(keepers, resource, time)));
            foreach (var (resource, answer) in portion.Zip(answers))
            {
                if (!answer.TryGetValue(out var tokens, out var refusal)) return refusal;
                inForce[resource] = tokens.InForce.ToHashSet();
            }
        }

        return new KeyPage
        {
            Keys =
            [
                .. from entry in _found
                   let binding = entry.State.Binding
                   where binding is null || inForce[binding.Resource].Contains(binding.Token)
                   select new KeyReply.Found(entry.State.Value!, entry.State.Revision, binding).ToValue(entry.Key),
            ],
            Next = _next,
        };
    }
}
