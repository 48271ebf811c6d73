using System.Buffers;
using System.Text.Json;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Writes a record in the envelope that <c>writetostorage</c> takes apart, and reads what <c>readfromstorage</c> puts
/// together: the record with the newest block of its log, and the finished blocks beside it.
/// </summary>
internal sealed class LeaseRecordSerializer : IGrainStorageSerializer
{
    public BinaryData Serialize<T>(T? input)
    {
        var record = (LeaseRecord)(object)input!;
        var log = record.Lease.Log;
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("epoch"u8, record.Epoch);
            if (LeaseMachine.DueWall(record.Lease) is { } due) json.WriteNumber("due"u8, due.Ticks / TimeSpan.TicksPerMillisecond);
            json.WriteBoolean("held"u8, !record.Lease.Holders.IsEmpty);
            json.WriteNumber("block"u8, LeaseLog.BlockOf(log.Last));
            json.WriteStartArray("finished"u8);
            for (var block = Math.Max(LeaseLog.BlockOf(record.StoredChanges), LeaseLog.BlockOf(log.First)); block < LeaseLog.BlockOf(log.Last); block++)
            {
                json.WriteStartObject();
                json.WriteNumber("block"u8, block);
                json.WritePropertyName("entries"u8);
                json.WriteRawValue(LeaseCodec.EncodeBlock(log.Finished(block)), skipInputValidation: true);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WritePropertyName("record"u8);
            json.WriteRawValue(LeaseCodec.Encode(record.Lease with { Log = log.WithoutFinished() }), skipInputValidation: true);
            json.WriteEndObject();
        }

        return new BinaryData(buffer.WrittenMemory.ToArray());
    }

    public T? Deserialize<T>(BinaryData input)
    {
        using var envelope = JsonDocument.Parse(input.ToMemory());
        var root = envelope.RootElement;
        var lease = LeaseCodec.Decode(JsonSerializer.SerializeToUtf8Bytes(root.GetProperty("record"u8)));
        var finished = root.GetProperty("finished"u8).EnumerateArray().Select(block => LeaseCodec.DecodeBlock(JsonSerializer.SerializeToUtf8Bytes(block)));
        var record = new LeaseRecord { Epoch = root.GetProperty("epoch"u8).GetInt32(), Lease = lease with { Log = lease.Log.WithOlder([.. finished]) } };
        return (T)(object)record;
    }
}
