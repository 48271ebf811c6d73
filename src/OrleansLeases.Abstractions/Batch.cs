using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>Several calls in one: each takes effect on its own, as if it had been made by itself.</summary>
public sealed record BatchRequest
{
    /// <summary>
    /// 1 to 1,000 operations, unless the limits of the service say otherwise. Those of one resource, and those of one key, take effect
    /// in this order; all others in no promised order.
    /// </summary>
    public required IReadOnlyList<BatchOperation> Operations { get; init; }
}

/// <summary>One call of a batch: a closed set. Immutable.</summary>
[SuppressMessage("Naming", "CA1716", Justification = "They are called as the calls are.")]
public abstract record BatchOperation
{
    private protected BatchOperation()
    {
    }

    /// <summary>The resource or key that it is about.</summary>
    internal abstract string? Name { get; }

    /// <summary>Whether <see cref="Name"/> is a key's.</summary>
    internal virtual bool IsOfKey => false;

    /// <summary>As <see cref="ILeaseService.AcquireAsync"/>.</summary>
    /// <param name="Request">The request, without a wait.</param>
    public sealed record Acquire(AcquireRequest Request) : BatchOperation
    {
        internal override string? Name => Request?.Resource;
    }

    /// <summary>As <see cref="ILeaseService.RenewAsync"/>.</summary>
    /// <param name="Request">Which lease.</param>
    public sealed record Renew(RenewRequest Request) : BatchOperation
    {
        internal override string? Name => Request?.Resource;
    }

    /// <summary>As <see cref="ILeaseService.ReleaseAsync"/>.</summary>
    /// <param name="Request">Which lease.</param>
    public sealed record Release(ReleaseRequest Request) : BatchOperation
    {
        internal override string? Name => Request?.Resource;
    }

    /// <summary>As <see cref="ILeaseService.TransferAsync"/>.</summary>
    /// <param name="Request">The lease, named by resource, owner and token, and its new owner.</param>
    public sealed record Transfer(TransferRequest Request) : BatchOperation
    {
        internal override string? Name => Request?.Resource;
    }

    /// <summary>As <see cref="ILeaseService.BreakAsync"/>.</summary>
    /// <param name="Request">Which lease, when and why.</param>
    public sealed record Break(BreakRequest Request) : BatchOperation
    {
        internal override string? Name => Request?.Resource;
    }

    /// <summary>As <see cref="ILeaseService.GetAsync"/>.</summary>
    /// <param name="Request">Which resource.</param>
    public sealed record Get(GetLeaseRequest Request) : BatchOperation
    {
        internal override string? Name => Request?.Resource;
    }

    /// <summary>As <see cref="ILeaseService.PutKeyAsync"/>.</summary>
    /// <param name="Key">The key's name.</param>
    /// <param name="Request">The value, and what the key is bound to.</param>
    public sealed record PutKey(string Key, PutKeyRequest Request) : BatchOperation
    {
        internal override string? Name => Key;

        internal override bool IsOfKey => true;
    }

    /// <summary>As <see cref="ILeaseService.GetKeyAsync"/>.</summary>
    /// <param name="Key">The key's name.</param>
    public sealed record GetKey(string Key) : BatchOperation
    {
        internal override string? Name => Key;

        internal override bool IsOfKey => true;
    }

    /// <summary>As <see cref="ILeaseService.DeleteKeyAsync"/>.</summary>
    /// <param name="Key">The key's name.</param>
    /// <param name="IfVersion">Delete only this version; without it, whatever is there.</param>
    public sealed record DeleteKey(string Key, long? IfVersion = null) : BatchOperation
    {
        internal override string? Name => Key;

        internal override bool IsOfKey => true;
    }

    /// <summary>As <see cref="ILeaseService.AddToCounterAsync"/>.</summary>
    /// <param name="Key">The key's name.</param>
    /// <param name="Request">How much, and what the key is bound to.</param>
    public sealed record AddToCounter(string Key, AddToCounterRequest Request) : BatchOperation
    {
        internal override string? Name => Key;

        internal override bool IsOfKey => true;
    }
}

/// <summary>The answers to a batch.</summary>
public sealed record BatchReply
{
    /// <summary>How long the service had the batch before it computed the first of its answers.</summary>
    [JsonPropertyName("elapsedMs")]
    public required TimeSpan Elapsed { get; init; }

    /// <summary>One for each operation, in the order of the request.</summary>
    public required IReadOnlyList<BatchResult> Results { get; init; }
}

/// <summary>What one operation of a batch came to: what its own call would have returned. Immutable.</summary>
public sealed record BatchResult
{
    private BatchResult(object content) => Content = content;

    /// <summary>The refusal, or null where the operation was fulfilled.</summary>
    public Refusal? Refusal => Content as Refusal;

    /// <summary>The response, or the refusal.</summary>
    internal object Content { get; }

    /// <summary>Wraps the result of a call.</summary>
    /// <typeparam name="T">The type of the response.</typeparam>
    /// <param name="result">The result.</param>
    /// <returns>The same, as one of a batch's.</returns>
    public static BatchResult Of<T>(LeaseResult<T> result)
        where T : class => new(result.TryGetValue(out var value, out var refusal) ? value : refusal);

    /// <summary>The result as the operation's own call returns it.</summary>
    /// <typeparam name="T">The type of the response, such as <see cref="LeaseGrant"/> for an acquire.</typeparam>
    /// <returns>The response, or the refusal.</returns>
    /// <exception cref="InvalidOperationException">The operation has a response of another type.</exception>
    public LeaseResult<T> As<T>()
        where T : class => Content switch
        {
            Refusal refusal => refusal,
            T value => value,
            _ => throw new InvalidOperationException($"The operation returned a {Content.GetType().Name}, not a {typeof(T).Name}."),
        };
}
