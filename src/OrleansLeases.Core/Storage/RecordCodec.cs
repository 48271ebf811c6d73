using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Core;

/// <summary>The stored forms of records: compact JSON with a schema version, of which a newer one is refused.</summary>
internal static class RecordCodec
{
    /// <summary>The stored form of a resource's record.</summary>
    public static RecordCodec<LeaseState, LogEntry> Lease { get; } =
        new(StoredJson.Default.LeaseState, StoredJson.Default.LogEntryArray, LeaseState.CurrentSchema, FlawOf, FlawOf);

    /// <summary>The stored form of a key's record.</summary>
    public static RecordCodec<KeyState, KeyLogEntry> Key { get; } =
        new(StoredJson.Default.KeyState, StoredJson.Default.KeyLogEntryArray, KeyState.CurrentSchema, FlawOf, _ => null);

    private static string? FlawOf(LeaseState state) =>
        state.Log is null ? "The stored record lacks its log."
        : state.Pending?.Exists(ended => ended is null || ended.Keys.IsDefault || ended.Keys.Contains(null!)) == true
            ? "A stored clean-up lacks its keys."
        : null;

    private static string? FlawOf(LogEntry entry) => entry.Owner is null ? "A stored log entry lacks its owner." : null;

    private static string? FlawOf(KeyState state) => state.Log is null || state is { Binding: { Resource: null } or { Owner: null } }
        ? "The stored key lacks its log, or its binding the lease."
        : null;
}

/// <summary>The stored form of one kind of record. Thread-safe.</summary>
/// <typeparam name="TState">The record.</typeparam>
/// <typeparam name="TEntry">What the record remembers of a change.</typeparam>
internal sealed class RecordCodec<TState, TEntry>
    where TState : class, IRecord
    where TEntry : struct, ILogEntry
{
    private readonly JsonTypeInfo<TState> _state;
    private readonly JsonTypeInfo<TEntry[]> _block;
    private readonly int _schema;
    private readonly Func<TState, string?> _flawOf;
    private readonly Func<TEntry, string?> _entryFlawOf;

    internal RecordCodec(
        JsonTypeInfo<TState> state,
        JsonTypeInfo<TEntry[]> block,
        int schema,
        Func<TState, string?> flawOf,
        Func<TEntry, string?> entryFlawOf) =>
        (_state, _block, _schema, _flawOf, _entryFlawOf) = (state, block, schema, flawOf, entryFlawOf);

    /// <summary>Writes a record.</summary>
    /// <param name="state">The record.</param>
    /// <returns>UTF-8 JSON.</returns>
    public byte[] Encode(TState state) => JsonSerializer.SerializeToUtf8Bytes(state, _state);

    /// <summary>Writes one block of a log.</summary>
    /// <param name="entries">Its entries.</param>
    /// <returns>UTF-8 JSON.</returns>
    public byte[] EncodeBlock(TEntry[] entries) => JsonSerializer.SerializeToUtf8Bytes(entries, _block);

    /// <summary>Reads a record.</summary>
    /// <param name="utf8">What <see cref="Encode"/> wrote, in this version of the software or an earlier one.</param>
    /// <returns>The record.</returns>
    /// <exception cref="InvalidDataException">It is not a record, or one of a newer schema, which must not be rewritten.</exception>
    public TState Decode(ReadOnlySpan<byte> utf8)
    {
        var state = Read(utf8, _state);
        if (state.Schema < 1 || state.Schema > _schema) throw WrongSchema(state.Schema);
        return _flawOf(state) is { } flaw ? throw new InvalidDataException(flaw) : state;
    }

    /// <summary>Reads one block of a log.</summary>
    /// <param name="utf8">What <see cref="EncodeBlock"/> wrote.</param>
    /// <returns>Its entries.</returns>
    /// <exception cref="InvalidDataException">It is not a block.</exception>
    public TEntry[] DecodeBlock(ReadOnlySpan<byte> utf8) => Whole(Read(utf8, _block));

    internal TEntry[] Whole(TEntry[]? entries)
    {
        if (entries is null) throw new InvalidDataException("A stored log is missing.");
        foreach (var entry in entries)
        {
            if (_entryFlawOf(entry) is { } flaw) throw new InvalidDataException(flaw);
        }

        return entries;
    }

    private T Read<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(utf8, type) ?? throw new JsonException("It is null.");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or OverflowException)
        {
            throw NewerSchema(utf8) ?? new InvalidDataException($"What is stored is not readable as a {typeof(T).Name}.", error);
        }
    }

    // A newer record may well lack what this version takes for granted.
    private InvalidDataException? NewerSchema(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using var record = JsonDocument.ParseValue(ref reader);
            return record.RootElement.ValueKind == JsonValueKind.Object && record.RootElement.TryGetProperty("v", out var schema)
                && schema.TryGetInt32(out var number) && number > _schema ? WrongSchema(number) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private InvalidDataException WrongSchema(int schema) => new(
        $"The stored record has schema {schema}; this version reads 1 to {_schema}. Run the version that wrote it, or a newer one.");
}
