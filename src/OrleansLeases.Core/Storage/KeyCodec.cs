using System.Text.Json;

namespace OrleansLeases.Core;

/// <summary>The stored form of a key's record.</summary>
public static class KeyCodec
{
    /// <summary>Writes a record.</summary>
    /// <param name="state">The record.</param>
    /// <returns>UTF-8 JSON.</returns>
    public static byte[] Encode(KeyState state) => JsonSerializer.SerializeToUtf8Bytes(state, StoredJson.Default.KeyState);

    /// <summary>Writes one block of a log.</summary>
    /// <param name="entries">Its entries.</param>
    /// <returns>UTF-8 JSON.</returns>
    public static byte[] EncodeBlock(KeyLogEntry[] entries) => JsonSerializer.SerializeToUtf8Bytes(entries, StoredJson.Default.KeyLogEntryArray);

    /// <summary>Reads a record.</summary>
    /// <param name="utf8">What <see cref="Encode"/> wrote, in this version of the software or an earlier one.</param>
    /// <returns>The record.</returns>
    /// <exception cref="InvalidDataException">It is not a record, or one of a newer schema, which must not be rewritten.</exception>
    public static KeyState Decode(ReadOnlySpan<byte> utf8)
    {
        var state = StoredRecord.Read(utf8, StoredJson.Default.KeyState, KeyState.CurrentSchema);
        StoredRecord.Check(state.Schema, KeyState.CurrentSchema);
        if (state.Log is null || state is { Binding: { Resource: null } or { Owner: null } })
            throw new InvalidDataException("The stored key lacks its log, or its binding the lease.");
        return state;
    }

    /// <summary>Reads one block of a log.</summary>
    /// <param name="utf8">What <see cref="EncodeBlock"/> wrote.</param>
    /// <returns>Its entries.</returns>
    /// <exception cref="InvalidDataException">It is not a block.</exception>
    public static KeyLogEntry[] DecodeBlock(ReadOnlySpan<byte> utf8) =>
        StoredRecord.Read(utf8, StoredJson.Default.KeyLogEntryArray, KeyState.CurrentSchema);
}
