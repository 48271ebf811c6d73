using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Orleans.Storage;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// A record as the lines that <c>writetostorage</c> takes apart, and that <c>readfromstorage</c> puts together: the record has the
/// newest block of its log, finished blocks stand before it.
/// </summary>
internal sealed class RecordLines
{
    private const byte EndOfLine = (byte)'\n';

    /// <summary>The lines.</summary>
    public BinaryData Text { get; init; } = BinaryData.Empty;

    /// <summary>Writes what a save stores.</summary>
    /// <param name="epoch">The restore epoch under which it is written.</param>
    /// <param name="previous">What is stored already.</param>
    /// <param name="next">The record.</param>
    /// <returns>The lines.</returns>
    public static RecordLines Of(int epoch, StoredRecord previous, StoredRecord next)
    {
        var payload = next.Encode();
        var lines = new ArrayBufferWriter<byte>(256 + payload.Length);
        using (var head = new Utf8JsonWriter(lines))
        {
            head.WriteStartObject();
            head.WriteNumber("epoch"u8, epoch);
            head.WriteNumber("block"u8, next.Block);
            head.WriteBoolean("held"u8, next.IsHeld);
            if (next.Due is { } due) head.WriteNumber("due"u8, due);
            if (next.IdleSince is { } idle) head.WriteNumber("idle"u8, idle);
            head.WriteNumber("shard"u8, RecordFloor.ShardOf(next.Name));
            if (previous.Version == 0)
            {
                head.WriteNumber("version"u8, StoredRow.FirstVersionOf(next));
                head.WriteNumber("token"u8, next.Floor.Token);
                head.WriteNumber("sequence"u8, next.Floor.Sequence);
            }

            head.WriteEndObject();
        }

        lines.Write([EndOfLine]);
        foreach (var block in next.FinishedSince(previous))
        {
            lines.Write(block.Entries.Span);
            lines.Write([EndOfLine]);
        }

        lines.Write(payload);
        return new() { Text = new BinaryData(lines.WrittenMemory) };
    }

    /// <summary>Reads what a load found.</summary>
    /// <param name="kind">The record's kind.</param>
    /// <param name="name">The record's name.</param>
    /// <returns>The whole record, and the restore epoch of the database.</returns>
    /// <exception cref="InvalidDataException">It is no record, or one of a newer version.</exception>
    public (int Epoch, StoredRecord Record) Read(RecordKind kind, string name)
    {
        var text = Text.ToMemory();
        var end = text.Span.IndexOf(EndOfLine);
        if (end < 0 || !Utf8Parser.TryParse(text.Span[..end], out int epoch, out var parsed) || parsed != end)
            throw new InvalidDataException("What is stored does not start with its restore epoch.");
        var newest = text.Span.LastIndexOf(EndOfLine) + 1;
        var record = StoredRecord.Read(kind, name, text.Span[newest..]);
        return (epoch, newest == end + 1 ? record : record.WithBlocks(Split(text[(end + 1)..(newest - 1)])));
    }

    /// <summary>Takes lines apart, of which the last has no end.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> text)
    {
        for (int end; (end = text.Span.IndexOf(EndOfLine)) >= 0; text = text[(end + 1)..]) yield return text[..end];
        yield return text;
    }

    /// <summary>Hands the lines to Orleans' provider as they are.</summary>
    public sealed class Serializer : IGrainStorageSerializer
    {
        public BinaryData Serialize<T>(T? input) => input is RecordLines lines
            ? lines.Text
            : throw new ArgumentOutOfRangeException(nameof(input), input, "Only grains of leases and keys store anything here.");

        public T? Deserialize<T>(BinaryData input) => (T)(object)new RecordLines { Text = input };
    }
}
