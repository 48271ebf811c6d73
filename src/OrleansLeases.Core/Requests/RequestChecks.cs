using System.Globalization;
using System.Text;

namespace OrleansLeases.Core;

/// <summary>Checks requests against the bounds of a service before they reach a keeper. A refusal names every bad field.</summary>
/// <param name="limits">The bounds.</param>
public sealed class RequestChecks(LeaseLimits limits)
{
    private const int MaxRequestIdBytes = 128;
    private const int MaxMetadataEntries = 16;
    private const int MaxMetadataBytes = 2048;
    private const int MaxPageSize = 1000;
    private const int MaxValueBytes = 64 * 1024;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>
    /// What is wrong under any limits, for who does not know them yet. It must not reach a grain: on Orleans' wire half a surrogate pair
    /// becomes another character, and the grain would take the name for a good one.
    /// </summary>
    internal static RequestChecks OfAnyLimits { get; } = new(new LeaseLimits
    {
        MinTtl = TimeSpan.Zero,
        MaxTtl = TimeSpan.MaxValue,
        MaxWait = TimeSpan.MaxValue,
        MaxHolders = int.MaxValue,
        MaxWaiters = int.MaxValue,
        MaxBatch = 100_000,
    });

    /// <summary>Checks an acquire.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(AcquireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Path(ref errors, "resource", request.Resource);
        Name(ref errors, "owner", request.Owner);
        Duration(ref errors, "ttlMs", request.Ttl, limits.MinTtl, limits.MaxTtl);
        Duration(ref errors, "waitMs", request.Wait, TimeSpan.Zero, limits.MaxWait);
        Duration(ref errors, "lockDelayMs", request.LockDelay, TimeSpan.Zero, limits.MaxTtl);
        RequestId(ref errors, request.RequestId);
        if (!Enum.IsDefined(request.Mode)) errors.Add("mode", $"mode is {request.Mode}; it takes 'exclusive' or 'shared'.");
        if (request is { LockDelay.Ticks: > 0, Mode: LeaseMode.Shared })
            errors.Add("lockDelayMs", "lockDelayMs is for exclusive leases; leave it out or ask for mode 'exclusive'.");
        if (request.Capacity is { } capacity)
        {
            if (request.Mode == LeaseMode.Exclusive)
                errors.Add("capacity", "capacity is for shared leases; leave it out or ask for mode 'shared'.");
            else if (capacity < 1 || capacity > limits.MaxHolders)
                errors.Add("capacity", $"capacity is {capacity}; it takes 1 to {limits.MaxHolders}.");
        }

        Metadata(ref errors, request.Metadata);
        return errors.Refusal;
    }

    /// <summary>Checks a renewal.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(RenewRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Lease(ref errors, request.Resource, request.Owner, request.Token);
        if (request.Ttl is { } ttl) Duration(ref errors, "ttlMs", ttl, limits.MinTtl, limits.MaxTtl);
        return errors.Refusal;
    }

    /// <summary>Checks the size of a batch; its leases are checked one by one.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(RenewBatchRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        if (request.Leases is null || request.Leases.Count < 1 || request.Leases.Count > limits.MaxBatch)
        {
            errors.Add(
                "leases", $"leases has {request.Leases?.Count ?? 0} entries; it takes 1 to {limits.MaxBatch}. Send several batches.");
        }

        return errors.Refusal;
    }

    /// <summary>Checks a release.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(ReleaseRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Lease(ref errors, request.Resource, request.Owner, request.Token);
        return errors.Refusal;
    }

    /// <summary>Checks a transfer.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(TransferRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Lease(ref errors, request.Resource, request.Owner, request.Token);
        Name(ref errors, "newOwner", request.NewOwner);
        if (request.Ttl is { } ttl) Duration(ref errors, "ttlMs", ttl, limits.MinTtl, limits.MaxTtl);
        RequestId(ref errors, request.RequestId);
        return errors.Refusal;
    }

    /// <summary>Checks a break.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(BreakRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Path(ref errors, "resource", request.Resource);
        if (request.Token is { } token) Token(ref errors, token);
        Duration(ref errors, "graceMs", request.Grace, TimeSpan.Zero, limits.MaxTtl);
        Name(ref errors, "reason", request.Reason);
        RequestId(ref errors, request.RequestId);
        return errors.Refusal;
    }

    /// <summary>Checks a read.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(GetLeaseRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return CheckResource(request.Resource);
    }

    /// <summary>Checks the name of a resource.</summary>
    /// <param name="resource">The name.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? CheckResource(string resource)
    {
        var errors = new Errors();
        Path(ref errors, "resource", resource);
        return errors.Refusal;
    }

    /// <summary>Checks a put.</summary>
    /// <param name="key">The key.</param>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(string key, PutKeyRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Path(ref errors, "key", key);
        if (request.Value is null) errors.Add("value", "value is missing; it takes a string.");
        else if (Bytes(request.Value) is not { } bytes) errors.Add("value", "value is not valid Unicode; it has half of a surrogate pair.");
        else if (bytes > MaxValueBytes) errors.Add("value", $"value has {bytes} bytes of UTF-8; it takes {MaxValueBytes} at most.");
        BoundTo(ref errors, request.Lease);
        Version(ref errors, request.IfVersion);
        RequestId(ref errors, request.RequestId);
        return errors.Refusal;
    }

    /// <summary>Checks an addition.</summary>
    /// <param name="key">The key.</param>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(string key, AddToCounterRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Path(ref errors, "key", key);
        BoundTo(ref errors, request.Lease);
        RequestId(ref errors, request.RequestId);
        return errors.Refusal;
    }

    /// <summary>Checks a read or a delete of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="ifVersion">Only this version.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? CheckKey(string key, long? ifVersion = null)
    {
        var errors = new Errors();
        Path(ref errors, "key", key);
        Version(ref errors, ifVersion);
        return errors.Refusal;
    }

    /// <summary>Checks a listing of keys.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(ListKeysRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Page(ref errors, request.Prefix, request.After, request.PageSize);
        return errors.Refusal;
    }

    /// <summary>Checks a listing.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(ListLeasesRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Page(ref errors, request.Prefix, request.After, request.PageSize);
        if (request.Owner is not null) Name(ref errors, "owner", request.Owner);
        if (!Enum.IsDefined(request.State)) errors.Add("state", $"state is {request.State}; it takes 'held', 'free' or 'any'.");
        return errors.Refusal;
    }

    /// <summary>Checks a watch.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(WatchRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        string?[] names = [request.Resource, request.Key, request.Prefix];
        if (names.Count(name => name is not null) is var given and not 1)
            errors.Add("resource", $"A watch takes one of resource, key and prefix, was given {(given == 0 ? "none" : "several")}.");
        if (request.Resource is not null) Path(ref errors, "resource", request.Resource);
        if (request.Key is not null) Path(ref errors, "key", request.Key);
        if (request.Prefix is { Length: > 0 }) Name(ref errors, "prefix", request.Prefix);
        if (request.Since is { Sequence: < 0 } since) errors.Add("since", $"since is {since}; it takes 0 or the number of a change.");
        if (request is { Since: not null, Prefix: not null })
            errors.Add("since", "since is given for a prefix, which is live only; leave it out.");
        return errors.Refusal;
    }

    private static void Page(ref Errors errors, string? prefix, string? after, int pageSize)
    {
        if (prefix is { Length: > 0 }) Name(ref errors, "prefix", prefix);
        if (after is not null) Name(ref errors, "after", after);
        if (pageSize is < 1 or > MaxPageSize) errors.Add("pageSize", $"pageSize is {pageSize}; it takes 1 to {MaxPageSize}.");
    }

    private static void BoundTo(ref Errors errors, KeyLease? lease)
    {
        if (lease is null) return;
        Path(ref errors, "lease.resource", lease.Resource);
        Name(ref errors, "lease.owner", lease.Owner);
        Token(ref errors, lease.Token, "lease.token");
    }

    private static void Version(ref Errors errors, long? ifVersion)
    {
        if (ifVersion < 0) errors.Add("ifVersion", $"ifVersion is {ifVersion}; it takes 0, for no such key, or a version.");
    }

    private static void Lease(ref Errors errors, string resource, string owner, long token)
    {
        Path(ref errors, "resource", resource);
        Name(ref errors, "owner", owner);
        Token(ref errors, token);
    }

    private static void Token(ref Errors errors, long token, string field = "token")
    {
        if (!Tokens.IsToken(token)) errors.Add(field, $"{field} is {token}; it takes 1 to {Tokens.Max}.");
    }

    private static void Path(ref Errors errors, string field, string? name)
    {
        if (!Name(ref errors, field, name)) return;
        if (Names.BadSegmentOf(name!) is not { } segment) return;
        var found = segment.Length == 0 ? "an empty segment" : $"the segment '{segment}'";
        errors.Add(
            field,
            $"{field} is '{Shown(name!)}', which has {found}; "
                + "a name is a path of segments joined by '/', none of them empty, '.' or '..'.");
    }

    private static bool Name(ref Errors errors, string field, string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            errors.Add(field, $"{field} is {(name is null ? "missing" : "empty")}; it takes 1 to {Names.MaxBytes} bytes of UTF-8.");
            return false;
        }

        // Nearly every name is short and plain.
        if (name.Length <= Names.MaxBytes && !name.AsSpan().ContainsAnyExceptInRange(' ', '~')) return true;
        if (Bytes(name) is not { } bytes)
        {
            errors.Add(field, $"{field} is not valid Unicode; it has half of a surrogate pair.");
            return false;
        }

        if (bytes > Names.MaxBytes)
        {
            errors.Add(field, $"{field} has {bytes} bytes of UTF-8; it takes 1 to {Names.MaxBytes}.");
            return false;
        }

        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsControl(name[i])) continue;
            errors.Add(field, $"{field} has the control character U+{(int)name[i]:X4} at position {i}; take it out.");
            return false;
        }

        return true;
    }

    private static void RequestId(ref Errors errors, string? requestId)
    {
        if (requestId is null) return;
        if (Bytes(requestId) is not { } bytes) errors.Add("requestId", "requestId is not valid Unicode; it has half of a surrogate pair.");
        else if (bytes is < 1 or > MaxRequestIdBytes)
            errors.Add("requestId", $"requestId has {bytes} bytes of UTF-8; it takes 1 to {MaxRequestIdBytes}.");
        else if (requestId.Any(char.IsControl)) errors.Add("requestId", "requestId has a control character; take it out.");
    }

    private static void Metadata(ref Errors errors, IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null) return;
        if (metadata.Count > MaxMetadataEntries)
        {
            errors.Add("metadata", $"metadata has {metadata.Count} entries; it takes {MaxMetadataEntries} at most.");
            return;
        }

        var total = 0;
        foreach (var (key, value) in metadata)
        {
            if (value is null || Bytes(key) is not { } keyBytes || Bytes(value) is not { } valueBytes)
            {
                errors.Add("metadata", $"metadata '{Shown(key)}' is not a valid Unicode string.");
                return;
            }

            total += keyBytes + valueBytes;
        }

        if (total > MaxMetadataBytes) errors.Add("metadata", $"metadata has {total} bytes of UTF-8; it takes {MaxMetadataBytes} together.");
    }

    private static void Duration(ref Errors errors, string field, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value >= least && value <= most) return;
        errors.Add(field, string.Create(
            CultureInfo.InvariantCulture,
            $"{field} is {value.TotalMilliseconds}; it takes {least.TotalMilliseconds} to {most.TotalMilliseconds} milliseconds."));
    }

    private static int? Bytes(string text)
    {
        try
        {
            return Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            return null;
        }
    }

    private static string Shown(string name) => name.Length <= 80 ? name : name[..80] + "…";

    // Most requests are well-formed, so nothing is made until something is wrong.
    private struct Errors
    {
        private Dictionary<string, string[]>? _byField;

        public readonly Refusal? Refusal => _byField is null
            ? null
            : new Refusal.InvalidRequest(_byField, string.Join(' ', _byField.Values.SelectMany(messages => messages)));

        public void Add(string field, string message)
        {
            _byField ??= [];
            _byField[field] = _byField.TryGetValue(field, out var before) ? [.. before, message] : [message];
        }
    }
}
