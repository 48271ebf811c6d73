using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Writes a record, of a resource or of a key, as the lines that <c>writetostorage</c> takes apart, and reads those that
/// <c>readfromstorage</c> puts together: the record has the newest block of its log, finished blocks stand before it.
/// </summary>
internal sealed class GrainRecordSerializer : IGrainStorageSerializer
{
    private const byte EndOfLine = (byte)'\n';

    public BinaryData Serialize<T>(T? input) => input switch
    {
        LeaseRecord { Lease: var lease } record => Write(
            record, lease.Log, !lease.Holders.IsEmpty, LeaseMachine.DueWall(lease), RecordCodec.Lease.EncodeBlock, RecordCodec.Lease.Encode(lease with { Log = lease.Log.WithoutFinished() })),
        KeyRecord { Key: var key } record => Write(
            record, key.Log, key.Value is not null, due: null, RecordCodec.Key.EncodeBlock, RecordCodec.Key.Encode(key with { Log = key.Log.WithoutFinished() })),
        _ => throw new ArgumentOutOfRangeException(nameof(input), input, "Only grains of leases and keys store anything here."),
    };

    public T? Deserialize<T>(BinaryData input)
    {
        var text = input.ToMemory().Span;
        var end = text.IndexOf(EndOfLine);
        if (end < 0 || !Utf8Parser.TryParse(text[..end], out int epoch, out var parsed) || parsed != end)
            throw new InvalidDataException("What is stored does not start with its restore epoch.");
        var record = text[(text.LastIndexOf(EndOfLine) + 1)..];
        var blocks = text[(end + 1)..^record.Length];
        return (T)(object)(typeof(T) == typeof(KeyRecord) ? KeyOf(epoch, blocks, record) : LeaseOf(epoch, blocks, record));
    }

    private static LeaseRecord LeaseOf(int epoch, ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> record)
    {
        var lease = RecordCodec.Lease.Decode(record);
        return new() { Epoch = epoch, Lease = lease with { Log = lease.Log.WithOlder(Read(blocks, RecordCodec.Lease.DecodeBlock)) } };
    }

    private static KeyRecord KeyOf(int epoch, ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> record)
    {
        var key = RecordCodec.Key.Decode(record);
        return new() { Epoch = epoch, Key = key with { Log = key.Log.WithOlder(Read(blocks, RecordCodec.Key.DecodeBlock)) } };
    }

    private static BinaryData Write<TEntry>(
        GrainRecord record, BlockLog<TEntry> log, bool held, TimeSpan? due, Func<TEntry[], byte[]> encodeBlock, byte[] payload)
        where TEntry : struct, ILogEntry
    {
        var lines = new ArrayBufferWriter<byte>(256 + payload.Length);
        using (var head = new Utf8JsonWriter(lines))
        {
            head.WriteStartObject();
            head.WriteNumber("epoch"u8, record.Epoch);
            head.WriteNumber("block"u8, BlockLog.BlockOf(log.Last));
            head.WriteBoolean("held"u8, held);
            if (due is { } at) head.WriteNumber("due"u8, at.Ticks / TimeSpan.TicksPerMillisecond);
            head.WriteEndObject();
        }

        lines.Write([EndOfLine]);
        for (var block = Math.Max(BlockLog.BlockOf(record.StoredChanges), BlockLog.BlockOf(log.First)); block < BlockLog.BlockOf(log.Last); block++)
        {
            lines.Write(encodeBlock(log.Finished(block)));
            lines.Write([EndOfLine]);
        }

        lines.Write(payload);
        return new BinaryData(lines.WrittenMemory);
    }

    private static List<TEntry[]> Read<TEntry>(ReadOnlySpan<byte> blocks, Func<ReadOnlySpan<byte>, TEntry[]> decode)
    {
        var finished = new List<TEntry[]>();
        int end;
        while ((end = blocks.IndexOf(EndOfLine)) >= 0)
        {
            finished.Add(decode(blocks[..end]));
            blocks = blocks[(end + 1)..];
        }

        return finished;
    }
}
