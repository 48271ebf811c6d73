using System.Text;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Http2;

namespace OrleansLeases.Bench.Etcd;

// Tells what happens to a key, or to every key from one name to another.
internal sealed class EtcdWatch
{
    private readonly Action<string, bool> _onChange;
    private readonly Pending<bool> _created = new();

    private EtcdWatch(Action<string, bool> onChange) => _onChange = onChange;

    // Of deletions alone: the server leaves the others out.
    public static ValueTask OpenAsync(Http2Connection connection, string key, string? rangeEnd, Action<string> onDeleted) =>
        OpenAsync(connection, key, rangeEnd, deletionsOnly: true, (name, _) => onDeleted(name));

    // The handler is told the key, and whether it was deleted.
    public static ValueTask OpenAsync(Http2Connection connection, string key, string? rangeEnd, Action<string, bool> onChange) =>
        OpenAsync(connection, key, rangeEnd, deletionsOnly: false, onChange);

    private static async ValueTask OpenAsync(
        Http2Connection connection, string key, string? rangeEnd, bool deletionsOnly, Action<string, bool> onChange)
    {
        var watch = new EtcdWatch(onChange);
        var call = connection.OpenStream(EtcdMethod.Watch);
        call.OnMessage = watch.Receive;
        var created = watch._created.Start();
        call.Send(Request(key, rangeEnd, deletionsOnly, stackalloc byte[512]));
        await created;
    }

    private static ReadOnlySpan<byte> Request(string key, string? rangeEnd, bool deletionsOnly, Span<byte> target)
    {
        const int noPut = 0;
        var create = new ProtoWriter(stackalloc byte[400]);
        create.Text(1, key);
        if (rangeEnd is not null)
            create.Text(2, rangeEnd);
        if (deletionsOnly)
            create.Number(5, noPut);
        var request = new ProtoWriter(target);
        request.Bytes(1, create.Written);
        return request.Written;
    }

    private void Receive(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtoReader(message.Span);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3 when reader.Number == 1:
                    _created.Complete(true);
                    break;
                case 4 when reader.Number == 1:
                    throw new BenchException("etcd cancelled a watch.");
                case 11:
                    ReceiveEvent(reader.Bytes);
                    break;
            }
        }
    }

    private void ReceiveEvent(ReadOnlySpan<byte> item)
    {
        var deleted = false;
        ReadOnlySpan<byte> pair = default;
        var reader = new ProtoReader(item);
        while (reader.Next())
        {
            if (reader.Field == 1)
                deleted = reader.Number == 1;
            else if (reader.Field == 2)
                pair = reader.Bytes;
        }

        var key = new ProtoReader(pair);
        while (key.Next() && key.Field != 1)
        {
        }

        _onChange(Encoding.UTF8.GetString(key.Bytes), deleted);
    }
}
