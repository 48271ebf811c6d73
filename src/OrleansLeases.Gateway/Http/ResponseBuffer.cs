using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.ObjectPool;

namespace OrleansLeases.Gateway.Http;

/// <summary>A pooled JSON writer over its own memory. One answer uses it at a time.</summary>
internal sealed class ResponseBuffer
{
    private const int LargestKept = 16 * 1024;

    private static readonly DefaultObjectPool<ResponseBuffer> Pool = new(new Policy(), maximumRetained: 256);

    private readonly ArrayBufferWriter<byte> _bytes = new(512);

    private ResponseBuffer() => Json = new Utf8JsonWriter(_bytes, new JsonWriterOptions { SkipValidation = true });

    /// <summary>Writes the answer.</summary>
    public Utf8JsonWriter Json { get; }

    public static ResponseBuffer Rent() => Pool.Get();

    /// <summary>How many bytes were written since the last portion.</summary>
    public long Length => _bytes.WrittenCount + Json.BytesPending;

    /// <summary>Drops what <see cref="Written"/> has shown: what is written next goes on behind it.</summary>
    public void BeginPortion() => _bytes.ResetWrittenCount();

    /// <summary>What was written. Valid until <see cref="BeginPortion"/> or <see cref="Return"/>.</summary>
    public ReadOnlyMemory<byte> Written()
    {
        Json.Flush();
        return _bytes.WrittenMemory;
    }

    public void Return() => Pool.Return(this);

    private sealed class Policy : PooledObjectPolicy<ResponseBuffer>
    {
        public override ResponseBuffer Create() => new();

        public override bool Return(ResponseBuffer buffer)
        {
            if (buffer._bytes.Capacity > LargestKept) return false;
            buffer._bytes.ResetWrittenCount();
            buffer.Json.Reset();
            return true;
        }
    }
}
