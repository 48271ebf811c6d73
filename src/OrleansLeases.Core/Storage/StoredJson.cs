using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Core;

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
        var start = document.RootElement.TryGetProperty("b", out var before) ? before.GetInt64() : 0;
        return BlockLog.Restore(document.RootElement.GetProperty("n").GetInt64(), Entries(document.RootElement.GetProperty("e")), start);
    }

    public override void Write(Utf8JsonWriter writer, BlockLog<TEntry> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("n"u8, value.Last);
        if (value.Start > 0) writer.WriteNumber("b"u8, value.Start);
        writer.WriteStartArray("e"u8);
        foreach (var entry in value.NewestFirst().Reverse()) JsonSerializer.Serialize(writer, entry, Entry);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}

internal sealed class LeaseLogConverter : BlockLogConverter<LogEntry>
{
    protected override JsonTypeInfo<LogEntry> Entry => StoredJson.Default.LogEntry;

    protected override LogEntry[] Entries(JsonElement entries) =>
        RecordCodec.Lease.Whole(entries.Deserialize(StoredJson.Default.LogEntryArray));
}

internal sealed class KeyLogConverter : BlockLogConverter<KeyLogEntry>
{
    protected override JsonTypeInfo<KeyLogEntry> Entry => StoredJson.Default.KeyLogEntry;

    protected override KeyLogEntry[] Entries(JsonElement entries) =>
        RecordCodec.Key.Whole(entries.Deserialize(StoredJson.Default.KeyLogEntryArray));
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
    public override ImmutableSortedDictionary<string, long> Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
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
