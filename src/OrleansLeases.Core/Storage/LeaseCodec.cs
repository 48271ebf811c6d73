using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Core;

/// <summary>The stored form of a record: compact JSON with a schema version.</summary>
public static class LeaseCodec
{
    /// <summary>Writes a record.</summary>
    /// <param name="state">The record.</param>
    /// <returns>UTF-8 JSON.</returns>
    public static byte[] Encode(LeaseState state) => JsonSerializer.SerializeToUtf8Bytes(state, StoredJson.Default.LeaseState);

    /// <summary>Writes one block of a log.</summary>
    /// <param name="entries">Its entries.</param>
    /// <returns>UTF-8 JSON.</returns>
    public static byte[] EncodeBlock(LogEntry[] entries) => JsonSerializer.SerializeToUtf8Bytes(entries, StoredJson.Default.LogEntryArray);

    /// <summary>Reads a record.</summary>
    /// <param name="utf8">What <see cref="Encode"/> wrote, in this version of the software or an earlier one.</param>
    /// <returns>The record.</returns>
    /// <exception cref="InvalidDataException">It is not a record, or one of a newer schema, which must not be rewritten.</exception>
    public static LeaseState Decode(ReadOnlySpan<byte> utf8)
    {
        var state = Read(utf8, StoredJson.Default.LeaseState);
        if (state.Log is null) throw new InvalidDataException("The stored record lacks its log.");
        return state.Schema is >= 1 and <= LeaseState.CurrentSchema ? state : throw WrongSchema(state.Schema);
    }

    /// <summary>Reads one block of a log.</summary>
    /// <param name="utf8">What <see cref="EncodeBlock"/> wrote.</param>
    /// <returns>Its entries.</returns>
    /// <exception cref="InvalidDataException">It is not a block.</exception>
    public static LogEntry[] DecodeBlock(ReadOnlySpan<byte> utf8) => Whole(Read(utf8, StoredJson.Default.LogEntryArray));

    internal static LogEntry[] Whole(LogEntry[]? entries) =>
        entries is not null && entries.All(entry => entry.Owner is not null) ? entries : throw new InvalidDataException("A stored log entry lacks its owner.");

    private static InvalidDataException WrongSchema(int schema) => new(
        $"The stored record has schema {schema}; this version reads 1 to {LeaseState.CurrentSchema}. Run the version that wrote it, or a newer one.");

    // A newer record may well lack what this version takes for granted.
    private static InvalidDataException? NewerSchema(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using var record = JsonDocument.ParseValue(ref reader);
            return record.RootElement.ValueKind == JsonValueKind.Object && record.RootElement.TryGetProperty("v", out var schema)
                && schema.TryGetInt32(out var number) && number > LeaseState.CurrentSchema ? WrongSchema(number) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static T Read<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, type) ?? throw new JsonException("It is null.");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw NewerSchema(utf8) ?? new InvalidDataException("What is stored is not readable as a lease record.", error);
        }
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    Converters = [typeof(MillisecondsConverter)])]
[JsonSerializable(typeof(LeaseState))]
[JsonSerializable(typeof(LogEntry[]))]
[JsonSerializable(typeof(Holder[]))]
internal sealed partial class StoredJson : JsonSerializerContext;

internal sealed class HoldersConverter : JsonConverter<ImmutableArray<Holder>>
{
    public override ImmutableArray<Holder> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize(ref reader, StoredJson.Default.HolderArray) is { } holders
            && holders.All(holder => holder is { Owner: not null, HorizonBy: not null })
            ? [.. holders]
            : throw new JsonException("A holder is missing, or lacks its owner.");

    public override void Write(Utf8JsonWriter writer, ImmutableArray<Holder> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var holder in value) JsonSerializer.Serialize(writer, holder, StoredJson.Default.Holder);
        writer.WriteEndArray();
    }
}

internal sealed class LeaseLogConverter : JsonConverter<LeaseLog>
{
    public override LeaseLog Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var last = document.RootElement.GetProperty("n").GetInt64();
        return LeaseLog.Restore(last, LeaseCodec.Whole(document.RootElement.GetProperty("e").Deserialize(StoredJson.Default.LogEntryArray)));
    }

    public override void Write(Utf8JsonWriter writer, LeaseLog value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("n"u8, value.Last);
        writer.WriteStartArray("e"u8);
        foreach (var entry in value.NewestFirst().Reverse()) JsonSerializer.Serialize(writer, entry, StoredJson.Default.LogEntry);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
