using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>Names the lease that a key is bound to. Immutable.</summary>
public sealed record KeyLease
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The holder.</summary>
    public required string Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long Token { get; init; }
}

/// <summary>A request to write a key. Immutable, as all requests are.</summary>
public sealed record PutKeyRequest
{
    /// <summary>The value: at most 64 KiB of UTF-8, with any characters.</summary>
    public required string Value { get; init; }

    /// <summary>The lease to bind the key to; null makes the key free-standing.</summary>
    public KeyLease? Lease { get; init; }

    /// <summary>
    /// For a key without a lease, how long it is there from this put on: 100 ms to 24 h unless the service is configured otherwise. Then
    /// it is absent, as if deleted. Null, and so every put without it: until it is deleted. Additions leave that as it is.
    /// </summary>
    [JsonPropertyName("ttlMs")]
    public TimeSpan? Ttl { get; init; }

    /// <summary>Writes only if this is the key's version; 0, only if there is no such key; null, in any case.</summary>
    public long? IfVersion { get; init; }

    /// <summary>1 to 128 bytes of UTF-8: a request with the same id is applied once. Left out, the service makes one.</summary>
    public string? RequestId { get; init; }
}

/// <summary>A request to add to a counter.</summary>
public sealed record AddToCounterRequest
{
    /// <summary>What to add: any 64-bit integer.</summary>
    public required long Delta { get; init; }

    /// <summary>The lease to bind the key to; null leaves the binding of the key, or its time, as it is.</summary>
    public KeyLease? Lease { get; init; }

    /// <summary>As for a put; recognised for at least the last 1,024 changes of the key.</summary>
    public string? RequestId { get; init; }
}

/// <summary>A request to list keys.</summary>
public sealed record ListKeysRequest
{
    /// <summary>Only names that start with this; null for all.</summary>
    public string? Prefix { get; init; }

    /// <summary>How many at most: 1 to 1,000; 100 by default.</summary>
    public int PageSize { get; init; } = 100;

    /// <summary>The <see cref="KeyPage.Next"/> of the page before; null for the first page.</summary>
    public string? After { get; init; }
}
