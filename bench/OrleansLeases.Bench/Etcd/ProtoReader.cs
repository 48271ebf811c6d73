using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Etcd;

internal ref struct ProtoReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _at;

    public int Field { get; private set; }

    public long Number { get; private set; }

    public ReadOnlySpan<byte> Bytes { get; private set; }

    // Moves to the next field; a number is read at once, a nested message or string is a slice.
    public bool Next()
    {
        if (_at == _data.Length)
            return false;
        var tag = Varint();
        Field = (int)(tag >> 3);
        Number = 0;
        Bytes = default;
        switch (tag & 7)
        {
            case 0:
                Number = (long)Varint();
                return true;
            case 2:
                var length = (int)Varint();
                Bytes = _data.Slice(_at, length);
                _at += length;
                return true;
            default:
                throw new BenchException($"An etcd answer holds the unexpected wire type {tag & 7}.");
        }
    }

    public static long NumberOf(ReadOnlySpan<byte> message, int field)
    {
        var reader = new ProtoReader(message);
        while (reader.Next())
        {
            if (reader.Field == field)
                return reader.Number;
        }

        return 0;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = _data[_at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
