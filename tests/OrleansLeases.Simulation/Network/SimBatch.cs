using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Simulation.Network;

/// <summary>Calls that share a request, as the wire has them.</summary>
internal static class SimBatch
{
    public static async Task<HttpResponseMessage> AnswerAsync(RemoteService service, byte[] body, CancellationToken stop)
    {
        using var document = JsonDocument.Parse(body);
        BatchOperation[] operations = [.. document.RootElement.GetProperty("operations").EnumerateArray().Select(Read)];
        var result = await service.BatchAsync(new() { Operations = operations }, stop).ConfigureAwait(false);
        if (!result.TryGetValue(out var reply, out var refusal))
            return SimHttpHandler.Answer<LeaseInfo>(refusal, LeaseJson.Default.LeaseInfo);
        var content = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(content))
        {
            json.WriteStartObject();
            json.WriteNumber("elapsedMs", (long)reply.Elapsed.TotalMilliseconds);
            json.WriteStartArray("results");
            for (var i = 0; i < operations.Length; i++) Write(json, operations[i], reply.Results[i]);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return SimHttpHandler.Message(200, "application/json", content.WrittenSpan.ToArray());
    }

    private static BatchOperation Read(JsonElement operation)
    {
        return operation.GetProperty("op").GetString() switch
        {
            "acquire" => new BatchOperation.Acquire(As(LeaseJson.Default.AcquireRequest)),
            "renew" => new BatchOperation.Renew(As(LeaseJson.Default.RenewRequest)),
            "release" => new BatchOperation.Release(As(LeaseJson.Default.ReleaseRequest)),
            "transfer" => new BatchOperation.Transfer(As(LeaseJson.Default.TransferRequest)),
            "break" => new BatchOperation.Break(As(LeaseJson.Default.BreakRequest)),
            "get" => new BatchOperation.Get(As(LeaseJson.Default.GetLeaseRequest)),
            "key-put" => new BatchOperation.PutKey(Key(), As(LeaseJson.Default.PutKeyRequest)),
            "key-get" => new BatchOperation.GetKey(Key()),
            "key-delete" => new BatchOperation.DeleteKey(
                Key(), operation.TryGetProperty("ifVersion", out var version) ? version.GetInt64() : null),
            "counter-add" => new BatchOperation.AddToCounter(Key(), As(LeaseJson.Default.AddToCounterRequest)),
            var word => throw new JsonException($"There is no operation {word}."),
        };

        T As<T>(JsonTypeInfo<T> json) => operation.Deserialize(json)!;

        string Key() => operation.GetProperty("key").GetString()!;
    }

    private static void Write(Utf8JsonWriter json, BatchOperation operation, BatchResult result)
    {
        json.WriteStartObject();
        json.WriteNumber("status", result.Refusal is { } refused ? RefusalConverter.StatusOf(refused.Code) : 200);
        json.WritePropertyName("body");
        if (result.Refusal is { } refusal) JsonSerializer.Serialize(json, refusal, LeaseJson.Default.Refusal);
        else WriteBody();
        json.WriteEndObject();

        void WriteBody()
        {
            switch (operation)
            {
                case BatchOperation.Acquire or BatchOperation.Transfer:
                    Body(LeaseJson.Default.LeaseGrant);
                    break;
                case BatchOperation.Renew:
                    Body(LeaseJson.Default.LeaseRenewal);
                    break;
                case BatchOperation.Release:
                    Body(LeaseJson.Default.LeaseRelease);
                    break;
                case BatchOperation.Break:
                    Body(LeaseJson.Default.LeaseBreak);
                    break;
                case BatchOperation.Get:
                    Body(LeaseJson.Default.LeaseInfo);
                    break;
                case BatchOperation.PutKey:
                    Body(LeaseJson.Default.KeyPut);
                    break;
                case BatchOperation.GetKey:
                    Body(LeaseJson.Default.KeyValue);
                    break;
                case BatchOperation.DeleteKey:
                    Body(LeaseJson.Default.KeyDeletion);
                    break;
                default:
                    Body(LeaseJson.Default.CounterValue);
                    break;
            }
        }

        void Body<T>(JsonTypeInfo<T> contract)
            where T : class => JsonSerializer.Serialize(json, result.As<T>().Value, contract);
    }
}
