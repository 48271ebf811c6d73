using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>The JSON of the wire contract: camelCase, durations as whole milliseconds, nulls left out. Thread-safe.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(MillisecondsConverter)])]
[JsonSerializable(typeof(AcquireRequest))]
[JsonSerializable(typeof(RenewRequest))]
[JsonSerializable(typeof(RenewBatchRequest))]
[JsonSerializable(typeof(ReleaseRequest))]
[JsonSerializable(typeof(TransferRequest))]
[JsonSerializable(typeof(BreakRequest))]
[JsonSerializable(typeof(GetLeaseRequest))]
[JsonSerializable(typeof(LeaseGrant))]
[JsonSerializable(typeof(LeaseRenewal))]
[JsonSerializable(typeof(RenewBatchReply))]
[JsonSerializable(typeof(LeaseRelease))]
[JsonSerializable(typeof(LeaseBreak))]
[JsonSerializable(typeof(LeaseInfo))]
[JsonSerializable(typeof(LeasePage))]
[JsonSerializable(typeof(LeaseHistory))]
[JsonSerializable(typeof(PutKeyRequest))]
[JsonSerializable(typeof(AddToCounterRequest))]
[JsonSerializable(typeof(KeyPut))]
[JsonSerializable(typeof(KeyDeletion))]
[JsonSerializable(typeof(CounterValue))]
[JsonSerializable(typeof(KeyValue))]
[JsonSerializable(typeof(KeyPage))]
[JsonSerializable(typeof(LeaseEvent))]
[JsonSerializable(typeof(KeyChange))]
[JsonSerializable(typeof(KeyInfo))]
[JsonSerializable(typeof(ServiceInfo))]
[JsonSerializable(typeof(MemberList))]
[JsonSerializable(typeof(CreateApiKeyRequest))]
[JsonSerializable(typeof(CreatedApiKey))]
[JsonSerializable(typeof(ApiKeyList))]
[JsonSerializable(typeof(RevokedApiKey))]
[JsonSerializable(typeof(CallerInfo))]
[JsonSerializable(typeof(RetiredProofKeys))]
[JsonSerializable(typeof(Refusal))]
[JsonSerializable(typeof(CurrentHolder[]))]
[JsonSerializable(typeof(Dictionary<string, string[]>))]
public sealed partial class LeaseJson : JsonSerializerContext;

/// <summary>Writes a duration as whole milliseconds, rounded down, so that no reader assumes more time than is left. Thread-safe.</summary>
public sealed class MillisecondsConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TimeSpan.FromMilliseconds(reader.GetInt64());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteNumberValue(value.Ticks / TimeSpan.TicksPerMillisecond);
    }
}

/// <summary>Writes an enumeration as its name in kebab case and refuses numbers. Thread-safe.</summary>
/// <typeparam name="T">The enumeration.</typeparam>
public sealed class KebabCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
