namespace OrleansLeases;

/// <summary>The lease that a key is bound to, named as for a renewal.</summary>
public sealed record KeyLease
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The holder.</summary>
    public required string Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long Token { get; init; }
}

/// <summary>Writes a key.</summary>
public sealed record PutKeyRequest
{
    /// <summary>The value: at most 64 KiB of UTF-8, with any characters.</summary>
    public required string Value { get; init; }

    /// <summary>The lease that the key lives and dies with from now on; without it the key stands free.</summary>
    public KeyLease? Lease { get; init; }

    /// <summary>Write only if this is the key's version; 0 only if there is no such key. Without it, whatever is there.</summary>
    public long? IfVersion { get; init; }

    /// <summary>1 to 128 bytes, best chosen by the caller: the same id is applied once. Left out, the service makes one.</summary>
    public string? RequestId { get; init; }
}

/// <summary>Adds to a counter.</summary>
public sealed record AddToCounterRequest
{
    /// <summary>How much: any 64-bit integer.</summary>
    public required long Delta { get; init; }

    /// <summary>The lease that the key lives and dies with from now on; without it the key stays bound to what it is bound to.</summary>
    public KeyLease? Lease { get; init; }

    /// <summary>As for a put; recognised for at least the last 1,024 changes of the key.</summary>
    public string? RequestId { get; init; }
}

/// <summary>Asks for a page of keys.</summary>
public sealed record ListKeysRequest
{
    /// <summary>Only names that start with this; without it, all.</summary>
    public string? Prefix { get; init; }

    /// <summary>How many at most: 1 to 1,000; 100 by default.</summary>
    public int PageSize { get; init; } = 100;

    /// <summary>The <see cref="KeyPage.Next"/> of the page before.</summary>
    public string? After { get; init; }
}
