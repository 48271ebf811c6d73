namespace OrleansLeases.Core;

internal static partial class Verbs
{
    private const string LongestNumber = "-9223372036854775808";

    public static readonly Verb<(string Key, PutKeyRequest Request), KeyPut> PutKey = new(
        "put-key",
        static (put, checks) => checks.Check(put.Key, put.Request),
        static (access, put) => access.ToWrite(put.Key, put.Request.Lease),
        static (front, put, _) => new(front.Host.PutKeyAsync(put.Key, put.Request)))
    {
        IsChange = true,
        RequestId = new(static put => put.Request.RequestId, static (put, id) => (put.Key, put.Request with { RequestId = id })),
        Demand = static put => Demand.Of(put.Key, put.Request.Value),
        Subject = static (put, _) => new(put.Key, put.Request.Lease?.Owner, put.Request.Lease?.Token),
    };

    public static readonly Verb<string, KeyValue> GetKey = new(
        "get-key",
        static (key, _) => RequestChecks.CheckKey(key),
        static (access, key) => access.ToRead(key),
        static (front, key, stop) => new(front.Host.GetKeyAsync(key, stop)))
    {
        Demand = static key => new(key),
        Subject = static (key, _) => new(key),
        Show = static (access, key) => access.Sees(key.Key, key.Lease) ? key : access.HiddenBy(key.Key),
    };

    public static readonly Verb<(string Key, long? IfVersion), KeyDeletion> DeleteKey = new(
        "delete-key",
        static (delete, _) => RequestChecks.CheckKey(delete.Key, delete.IfVersion),
        static (access, delete) => access.ToWrite(delete.Key, lease: null),
        static (front, delete, _) => new(front.Host.DeleteKeyAsync(delete.Key, delete.IfVersion)))
    {
        IsChange = true,
        Demand = static delete => new(delete.Key),
        Subject = static (delete, _) => new(delete.Key),
    };

    public static readonly Verb<(string Key, AddToCounterRequest Request), CounterValue> AddToCounter = new(
        "add",
        static (add, _) => RequestChecks.Check(add.Key, add.Request),
        static (access, add) => access.ToWrite(add.Key, add.Request.Lease),
        static (front, add, _) => new(front.Host.AddToCounterAsync(add.Key, add.Request)))
    {
        IsChange = true,
        RequestId = new(static add => add.Request.RequestId, static (add, id) => (add.Key, add.Request with { RequestId = id })),
        Demand = static add => Demand.Of(add.Key, LongestNumber),
        Subject = static (add, _) => new(add.Key, add.Request.Lease?.Owner, add.Request.Lease?.Token),
    };

    public static readonly Verb<ListKeysRequest, KeyPage> ListKeys = new(
        "list-keys",
        static (request, _) => RequestChecks.Check(request),
        Authorize: null,
        static (front, request, stop) => front.Caller is { } caller
            ? CallerListing.ListAsync(front.Host, caller, request, stop)
            : new(front.Host.ListKeysAsync(request, stop)))
    {
        Demand = static request => Demand.OfPrefix(request.Prefix),
    };
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.PutKey, (key, request), _timeout, cancellationToken);

    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.GetKey, key, _timeout, cancellationToken);

    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.DeleteKey, (key, ifVersion), _timeout, cancellationToken);

    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.AddToCounter, (key, request), _timeout, cancellationToken);

    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.ListKeys, request, _timeout, cancellationToken);
}

internal partial interface IServiceHost
{
    Task<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request);

    Task<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken);

    Task<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion);

    Task<LeaseResult<CounterValue>> AddToCounterAsync(string key, AddToCounterRequest request);

    Task<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks a put.</summary>
    /// <param name="key">The key.</param>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(string key, PutKeyRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Path(ref errors, "key", key);
        if (request.Value is null) errors.Add("value", "value is missing; it takes a string.");
        else if (Bytes(request.Value) is not { } bytes) errors.Add("value", "value is not valid Unicode; it has half of a surrogate pair.");
        else if (bytes > MaxValueBytes) errors.Add("value", $"value has {bytes} bytes of UTF-8; it takes {MaxValueBytes} at most.");
        BoundTo(ref errors, request.Lease);
        if (request.Ttl is { } ttl) Duration(ref errors, "ttlMs", ttl, limits.MinTtl, limits.MaxTtl);
        if (request is { Ttl: not null, Lease: not null })
            errors.Add("ttlMs", "ttlMs is for keys without a lease, since a bound key ends with its lease; leave out it or lease.");
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
}

internal readonly partial record struct RequestFingerprint
{
    // Without a time as it was before: stored fingerprints last. No version begins with a letter.
    internal static RequestFingerprint Of(PutKeyRequest request) => Of(
        "put",
        request.RequestId,
        $"{(request.Ttl is { } ttl ? $"t{ttl.Ticks}\0" : "")}{request.IfVersion}\0{ContentOf(request.Lease)}\0{request.Value}");

    internal static RequestFingerprint Of(AddToCounterRequest request) =>
        Of("add", request.RequestId, $"{request.Delta}\0{ContentOf(request.Lease)}");

    private static string ContentOf(KeyLease? lease) => lease is null ? "" : $"{lease.Resource}\0{lease.Owner}\0{lease.Token}";
}
