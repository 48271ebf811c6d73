namespace OrleansLeases.Bench.Http2;

// Without a dynamic table the status stands in the block as it is: its Huffman-coded name, then "0".
internal static class GrpcTrailers
{
    private static ReadOnlySpan<byte> StatusZero => [0x88, 0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f, 0x01, (byte)'0'];

    public static bool SayOk(ReadOnlySpan<byte> block) => block.IndexOf(StatusZero) >= 0;
}
