using System.Buffers.Text;
using System.Text;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Http;

// A response; the body holds until the client that received it awaits again.
internal readonly record struct HttpAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    public long Number(ReadOnlySpan<byte> field)
    {
        var at = Body.Span.IndexOf(field);
        return at >= 0 && Utf8Parser.TryParse(Body.Span[(at + field.Length)..], out long value, out _)
            ? value
            : throw new BenchException($"The answer lacks {Encoding.UTF8.GetString(field)}: {this}");
    }

    public override string ToString()
    {
        var text = Encoding.UTF8.GetString(Body.Span);
        return $"{Status} {(text.Length > 400 ? text[..400] + "…" : text)}";
    }
}
