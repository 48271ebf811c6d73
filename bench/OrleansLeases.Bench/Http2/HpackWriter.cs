using System.Text;

namespace OrleansLeases.Bench.Http2;

// Writes the request headers of a gRPC call. What repeats goes through the dynamic table, as it does with any
// gRPC client, so that the server reads one byte a header after the first request of a connection.
internal sealed class HpackWriter
{
    private const int StaticEntries = 61;
    private const byte MethodPost = 0x83;
    private const byte SchemeHttp = 0x86;

    private readonly List<string> _table = [];

    public int Write(Span<byte> target, string authority, string path)
    {
        var at = 0;
        target[at++] = MethodPost;
        target[at++] = SchemeHttp;
        at += Header(target[at..], ":path", path);
        at += Header(target[at..], ":authority", authority);
        at += Header(target[at..], "content-type", "application/grpc");
        at += Header(target[at..], "user-agent", "orleans-leases-bench");
        at += Header(target[at..], "te", "trailers");
        return at;
    }

    private int Header(Span<byte> target, string name, string value)
    {
        var entry = _table.IndexOf(name + '=' + value);
        if (entry >= 0)
        {
            target[0] = (byte)(0x80 | (StaticEntries + _table.Count - entry));
            return 1;
        }

        _table.Add(name + '=' + value);
        target[0] = 0x40;
        var at = 1 + Text(target[1..], name);
        return at + Text(target[at..], value);
    }

    private static int Text(Span<byte> target, string value)
    {
        target[0] = (byte)value.Length;
        return 1 + Encoding.ASCII.GetBytes(value, target[1..]);
    }
}
