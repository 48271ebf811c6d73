using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Writes a record as the lines that <c>writetostorage</c> takes apart, and reads those that <c>readfromstorage</c> puts
/// together: the record has the newest block of its log, finished blocks stand before it.
/// </summary>
internal sealed class LeaseRecordSerializer : IGrainStorageSerializer
{
    private const byte EndOfLine = (byte)'\n';

    public BinaryData Serialize<T>(T? input)
    {
        var record = (LeaseRecord)(object)input!;
        var log = record.Lease.Log;
        var lines = new ArrayBufferWriter<byte>(1024);
        using (var head = new Utf8JsonWriter(lines))
        {
            head.WriteStartObject();
            head.WriteNumber("epoch"u8, record.Epoch);
            head.WriteNumber("block"u8, BlockLog.BlockOf(log.Last));
            head.WriteBoolean("held"u8, !record.Lease.Holders.IsEmpty);
            if (LeaseMachine.DueWall(record.Lease) is { } due) head.WriteNumber("due"u8, due.Ticks / TimeSpan.TicksPerMillisecond);
            head.WriteEndObject();
        }

        lines.Write([EndOfLine]);
        for (var block = Math.Max(BlockLog.BlockOf(record.StoredChanges), BlockLog.BlockOf(log.First)); block < BlockLog.BlockOf(log.Last); block++)
        {
            lines.Write(LeaseCodec.EncodeBlock(log.Finished(block)));
            lines.Write([EndOfLine]);
        }

        lines.Write(LeaseCodec.Encode(record.Lease with { Log = log.WithoutFinished() }));
        return new BinaryData(lines.WrittenMemory);
    }

    public T? Deserialize<T>(BinaryData input)
    {
        var text = input.ToMemory().Span;
        var end = text.IndexOf(EndOfLine);
        if (end < 0 || !Utf8Parser.TryParse(text[..end], out int epoch, out var parsed) || parsed != end)
            throw new InvalidDataException("What is stored does not start with its restore epoch.");
        text = text[(end + 1)..];
        var finished = new List<LogEntry[]>();
        while ((end = text.IndexOf(EndOfLine)) >= 0)
        {
            finished.Add(LeaseCodec.DecodeBlock(text[..end]));
            text = text[(end + 1)..];
        }

        var lease = LeaseCodec.Decode(text);
        return (T)(object)new LeaseRecord { Epoch = epoch, Lease = lease with { Log = lease.Log.WithOlder(finished) } };
    }
}
