using System.Text.Json;

namespace OrleansLeases.Core;

/// <summary>The stored form of a resource's record.</summary>
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
        var state = StoredRecord.Read(utf8, StoredJson.Default.LeaseState, LeaseState.CurrentSchema);
        if (state.Log is null) throw new InvalidDataException("The stored record lacks its log.");
        if (state.Pending?.Exists(ended => ended is null || ended.Keys.IsDefault || ended.Keys.Contains(null!)) == true)
            throw new InvalidDataException("A stored clean-up lacks its keys.");
        StoredRecord.Check(state.Schema, LeaseState.CurrentSchema);
        return state;
    }

    /// <summary>Reads one block of a log.</summary>
    /// <param name="utf8">What <see cref="EncodeBlock"/> wrote.</param>
    /// <returns>Its entries.</returns>
    /// <exception cref="InvalidDataException">It is not a block.</exception>
    public static LogEntry[] DecodeBlock(ReadOnlySpan<byte> utf8) =>
        Whole(StoredRecord.Read(utf8, StoredJson.Default.LogEntryArray, LeaseState.CurrentSchema));

    internal static LogEntry[] Whole(LogEntry[]? entries) =>
        entries is not null && entries.All(entry => entry.Owner is not null) ? entries : throw new InvalidDataException("A stored log entry lacks its owner.");
}
