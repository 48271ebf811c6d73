using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;

namespace OrleansLeases.Gateway.Http;

/// <summary>A pooled JSON writer over pooled memory. One answer uses it at a time.</summary>
internal sealed class ResponseBuffer : IBufferWriter<byte>
{
    private const int LargestKept = 16 * 1024;

    private static readonly DefaultObjectPool<ResponseBuffer> Pool = new(new Policy(), maximumRetained: 256);

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(1024);
    private int _written;

    private ResponseBuffer() => Json = new Utf8JsonWriter(this, new JsonWriterOptions { SkipValidation = true });

    /// <summary>Writes the answer.</summary>
    public Utf8JsonWriter Json { get; }

    public static ResponseBuffer Rent() => Pool.Get();

    /// <summary>How many bytes were written since the last portion.</summary>
    public long Length => _written + Json.BytesPending;

    /// <summary>Drops what <see cref="Written"/> has shown: what is written next goes on behind it.</summary>
    public void BeginPortion() => _written = 0;

    /// <summary>What was written. Valid until <see cref="BeginPortion"/> or <see cref="Return"/>.</summary>
    public ReadOnlyMemory<byte> Written()
    {
        Json.Flush();
        return _bytes.AsMemory(0, _written);
    }

    public void Return() => Pool.Return(this);

    void IBufferWriter<byte>.Advance(int count) => _written += count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint)
    {
        // An answer to a thousand renewals has more than 85 KB, and would be an object that only a full collection frees.
        var room = Math.Max(sizeHint, 1);
        if (_bytes.Length - _written < room) MoveTo(ArrayPool<byte>.Shared.Rent(Math.Max(2 * _bytes.Length, _written + room)));
        return _bytes.AsMemory(_written);
    }

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => ((IBufferWriter<byte>)this).GetMemory(sizeHint).Span;

    private void MoveTo(byte[] bytes)
    {
        _bytes.AsSpan(0, _written).CopyTo(bytes);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = bytes;
    }

    private sealed class Policy : PooledObjectPolicy<ResponseBuffer>
    {
        public override ResponseBuffer Create() => new();

        public override bool Return(ResponseBuffer buffer)
        {
            buffer._written = 0;
            buffer.Json.Reset();
            if (buffer._bytes.Length > LargestKept) buffer.MoveTo(ArrayPool<byte>.Shared.Rent(1024));
            return true;
        }
    }
}
