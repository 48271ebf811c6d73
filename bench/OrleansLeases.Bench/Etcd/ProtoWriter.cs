using System.Text;

namespace OrleansLeases.Bench.Etcd;

// The few protobuf shapes these messages need: varints and length-delimited fields.
internal ref struct ProtoWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;

    public int Length { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _target[..Length];

    public void Number(int field, long value)
    {
        Varint((uint)(field << 3));
        Varint((ulong)value);
    }

    public void Bytes(int field, scoped ReadOnlySpan<byte> value)
    {
        Varint((uint)(field << 3 | 2));
        Varint((uint)value.Length);
        value.CopyTo(_target[Length..]);
        Length += value.Length;
    }

    public void Text(int field, string value)
    {
        Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(value.Length)];
        Bytes(field, utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
    }

    private void Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _target[Length++] = (byte)(value | 0x80);
        _target[Length++] = (byte)value;
    }
}
