using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Core;

/// <summary>What the stored forms of all records share: compact JSON with a schema version, of which a newer one is refused.</summary>
internal static class StoredRecord
{
    /// <summary>Reads a record, or one block of its log.</summary>
    /// <param name="utf8">What was stored.</param>
    /// <param name="type">How it is read.</param>
    /// <param name="currentSchema">The newest schema this version reads.</param>
    /// <exception cref="InvalidDataException">It is not readable, or of a newer schema.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type, int currentSchema)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, type) ?? throw new JsonException("It is null.");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw NewerSchema(utf8, currentSchema) ?? new InvalidDataException($"What is stored is not readable as a {typeof(T).Name}.", error);
        }
    }

    /// <summary>Refuses a record of a schema that this version must not rewrite.</summary>
    /// <exception cref="InvalidDataException">It is of such a schema.</exception>
    public static void Check(int schema, int currentSchema)
    {
        if (schema < 1 || schema > currentSchema) throw WrongSchema(schema, currentSchema);
    }

    private static InvalidDataException WrongSchema(int schema, int currentSchema) => new(
        $"The stored record has schema {schema}; this version reads 1 to {currentSchema}. Run the version that wrote it, or a newer one.");

    // A newer record may well lack what this version takes for granted.
    private static InvalidDataException? NewerSchema(ReadOnlySpan<byte> utf8, int currentSchema)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using var record = JsonDocument.ParseValue(ref reader);
            return record.RootElement.ValueKind == JsonValueKind.Object && record.RootElement.TryGetProperty("v", out var schema)
                && schema.TryGetInt32(out var number) && number > currentSchema ? WrongSchema(number, currentSchema) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    Converters = [typeof(MillisecondsConverter)])]
[JsonSerializable(typeof(LeaseState))]
[JsonSerializable(typeof(LogEntry[]))]
[JsonSerializable(typeof(Holder[]))]
[JsonSerializable(typeof(KeyState))]
[JsonSerializable(typeof(KeyLogEntry[]))]
internal sealed partial class StoredJson : JsonSerializerContext;

/// <summary>Writes a log as the number of its newest entry and the entries it knows, oldest first.</summary>
internal abstract class BlockLogConverter<TEntry> : JsonConverter<BlockLog<TEntry>>
    where TEntry : struct, ILogEntry
{
    protected abstract JsonTypeInfo<TEntry> Entry { get; }

    protected abstract TEntry[] Entries(JsonElement entries);

    public override BlockLog<TEntry> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return BlockLog.Restore(document.RootElement.GetProperty("n").GetInt64(), Entries(document.RootElement.GetProperty("e")));
    }

    public override void Write(Utf8JsonWriter writer, BlockLog<TEntry> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("n"u8, value.Last);
        writer.WriteStartArray("e"u8);
        foreach (var entry in value.NewestFirst().Reverse()) JsonSerializer.Serialize(writer, entry, Entry);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}

internal sealed class LeaseLogConverter : BlockLogConverter<LogEntry>
{
    protected override JsonTypeInfo<LogEntry> Entry => StoredJson.Default.LogEntry;

    protected override LogEntry[] Entries(JsonElement entries) => LeaseCodec.Whole(entries.Deserialize(StoredJson.Default.LogEntryArray));
}

internal sealed class KeyLogConverter : BlockLogConverter<KeyLogEntry>
{
    protected override JsonTypeInfo<KeyLogEntry> Entry => StoredJson.Default.KeyLogEntry;

    protected override KeyLogEntry[] Entries(JsonElement entries) =>
        entries.Deserialize(StoredJson.Default.KeyLogEntryArray) ?? throw new JsonException("The log is missing.");
}

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

/// <summary>Writes names with numbers as one object, and reads them back in the order of their bytes.</summary>
internal sealed class AttachedKeysConverter : JsonConverter<ImmutableSortedDictionary<string, long>>
{
    public override ImmutableSortedDictionary<string, long> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var keys = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("The keys are no object.");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            reader.Read();
            keys[name] = reader.GetInt64();
        }

        return keys.ToImmutable();
    }

    public override void Write(Utf8JsonWriter writer, ImmutableSortedDictionary<string, long> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, since) in value) writer.WriteNumber(name, since);
        writer.WriteEndObject();
    }
}
