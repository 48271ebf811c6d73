using System.Text;

namespace OrleansLeases.Core;

/// <summary>One page of a listing of keys, filled from stored records in the byte order of their names. Not thread-safe.</summary>
public sealed class KeyListingPage
{
    // A page that finds little among many records, or much in few, ends early with a place to go on from.
    private const int ReadAtMost = 20_000;
    private const int BytesAtMost = 1024 * 1024;

    private readonly ListKeysRequest _request;
    private readonly string _prefix;
    private readonly List<(string Key, KeyState State)> _found = [];
    private string? _last;
    private int _read;
    private int _bytes;

    /// <summary>Starts a page.</summary>
    /// <param name="request">What is listed; checked.</param>
    public KeyListingPage(ListKeysRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        _request = request;
        _prefix = request.Prefix ?? "";
        From = request.After is { } after && Utf8Order.Instance.Compare(after, _prefix) > 0 ? after : _prefix;
    }

    /// <summary>The first name that may come.</summary>
    public string From { get; }

    /// <summary>Where the next page goes on; null where there is none.</summary>
    public string? Next { get; private set; }

    /// <summary>The keys of this page that had a value when they were read, whatever has become of their leases.</summary>
    internal IReadOnlyList<(string Key, KeyState State)> Read => _found;

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
            Next = _last;
            return false;
        }

        _read++;
        _last = key;
        if (state.Value is not { } value) return true;
        _found.Add((key, state));
        _bytes += Encoding.UTF8.GetByteCount(value);
        return true;
    }
}
