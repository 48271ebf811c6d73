using System.Collections.Frozen;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Batches;

/// <summary>The operations of a batch, or in their places what is wrong with them.</summary>
internal sealed record BatchBody(IReadOnlyList<(BatchOperation? Value, Refusal? Wrong)> Operations);

/// <summary>Reads the body of a batch.</summary>
internal sealed class BatchReader : IBodyReader<BatchBody>
{
    private const string Op = "op";
    private const string Key = "key";

    private static readonly FieldNames Names = new(required: ["operations"], optional: []);

    private static readonly FrozenDictionary<string, FieldReader.ItemReader<BatchOperation>> ByWord =
        new Dictionary<string, FieldReader.ItemReader<BatchOperation>>(StringComparer.Ordinal)
        {
            ["acquire"] = Of(LeaseJson.Default.AcquireRequest, request => new BatchOperation.Acquire(request)),
            ["renew"] = Of(LeaseJson.Default.RenewRequest, request => new BatchOperation.Renew(request)),
            ["release"] = Of(LeaseJson.Default.ReleaseRequest, request => new BatchOperation.Release(request)),
            ["transfer"] = Of(LeaseJson.Default.TransferRequest, request => new BatchOperation.Transfer(request)),
            ["break"] = Of(LeaseJson.Default.BreakRequest, request => new BatchOperation.Break(request)),
            ["get"] = Of(LeaseJson.Default.GetLeaseRequest, request => new BatchOperation.Get(request)),
            ["key-put"] = OfKey(LeaseJson.Default.PutKeyRequest, (key, request) => new BatchOperation.PutKey(key, request)),
            ["key-get"] = OfKey(BatchJson.Default.GetKeyFields, (key, _) => new BatchOperation.GetKey(key)),
            ["key-delete"] = OfKey(
                BatchJson.Default.DeleteKeyFields, (key, request) => new BatchOperation.DeleteKey(key, request.IfVersion)),
            ["counter-add"] = OfKey(LeaseJson.Default.AddToCounterRequest, (key, request) => new BatchOperation.AddToCounter(key, request)),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly string Listed = string.Join(", ", Words.Select(word => $"'{word}'"));

    /// <summary>The words for the operations.</summary>
    public static IEnumerable<string> Words => ByWord.Keys.Order(StringComparer.Ordinal);

    /// <inheritdoc/>
    public bool TakesRequestId => false;

    /// <inheritdoc/>
    public BatchBody Read(ref FieldReader body)
    {
        List<(BatchOperation?, Refusal?)>? operations = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) >= 0) operations = body.Each<BatchOperation>(Names[0], BatchCalls.MaxOperations, ReadOperation);
        return new BatchBody(operations ?? []);
    }

    private static BatchOperation? ReadOperation(ref FieldReader item)
    {
        if (item.Foresee(Op) is { } word && ByWord.TryGetValue(word, out var read)) return read(ref item);
        item.RefuseObject(Op, $"takes one of {Listed}");
        return null;
    }

    private static FieldReader.ItemReader<BatchOperation> Of<T>(JsonTypeInfo<T> contract, Func<T, BatchOperation> make)
        where T : class
    {
        var reader = new ObjectReader<T>(contract, Op);
        return (ref FieldReader item) => make(reader.Read(ref item, [null]));
    }

    private static FieldReader.ItemReader<BatchOperation> OfKey<T>(JsonTypeInfo<T> contract, Func<string, T, BatchOperation> make)
        where T : class
    {
        var reader = new ObjectReader<T>(contract, Op, Key);
        return (ref FieldReader item) =>
        {
            Span<string?> beside = [null, null];
            var request = reader.Read(ref item, beside);
            return make(beside[1]!, request);
        };
    }
}

/// <summary>What a read of a key has besides its name, in a batch.</summary>
internal sealed record GetKeyFields;

/// <summary>What a delete of a key has besides its name, in a batch.</summary>
internal sealed record DeleteKeyFields
{
    public long? IfVersion { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GetKeyFields))]
[JsonSerializable(typeof(DeleteKeyFields))]
internal sealed partial class BatchJson : JsonSerializerContext;
