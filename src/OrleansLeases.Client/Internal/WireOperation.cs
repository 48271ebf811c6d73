using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OrleansLeases.Client.Internal;

/// <summary>Operations of a batch as JSON: the body of the call itself, with the word for it and its key before its fields.</summary>
internal static class WireOperation
{
    private static readonly byte[] Start = [.. "{\"operations\":["u8];
    private static readonly byte[] End = [.. "]}"u8];

    /// <summary>An operation.</summary>
    /// <param name="word">The word for it.</param>
    /// <param name="body">The body that the call alone has: an object; or nothing.</param>
    /// <param name="key">The key that the call alone has in its path.</param>
    public static byte[] Of(string word, ReadOnlySpan<byte> body, string? key = null)
    {
        var bytes = new ArrayBufferWriter<byte>(body.Length + 64);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("op"u8, word);
            if (key is not null) json.WriteString("key"u8, key);
            json.WriteEndObject();
        }

        if (body.Length <= 2) return bytes.WrittenSpan.ToArray();
        var fields = body[1..];
        var operation = new byte[bytes.WrittenCount + fields.Length];
        bytes.WrittenSpan.CopyTo(operation);
        operation[bytes.WrittenCount - 1] = (byte)',';
        fields.CopyTo(operation.AsSpan(bytes.WrittenCount));
        return operation;
    }

    /// <summary>A delete of a key.</summary>
    public static byte[] OfDelete(string key, long? ifVersion) => Of(
        "key-delete",
        ifVersion is null ? [] : Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"ifVersion":{{ifVersion}}}""")),
        key);

    /// <summary>The body of a batch.</summary>
    public static byte[] Batch(IReadOnlyList<SharedCall> calls)
    {
        var body = new byte[Start.Length + calls.Sum(call => call.Operation.Length + 1) - 1 + End.Length];
        Start.CopyTo(body, 0);
        var at = Start.Length;
        foreach (var call in calls)
        {
            if (at > Start.Length) body[at++] = (byte)',';
            call.Operation.CopyTo(body, at);
            at += call.Operation.Length;
        }

        End.CopyTo(body, at);
        return body;
    }

    /// <summary>Takes the response to a batch apart.</summary>
    /// <returns>The status and the body of each operation; null where this is no such response.</returns>
    public static List<(int Status, ReadOnlyMemory<byte> Body)>? ReadResults(ReadOnlyMemory<byte> content)
    {
        try
        {
            var json = new Utf8JsonReader(content.Span);
            List<(int, ReadOnlyMemory<byte>)>? results = null;
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isResults = json.ValueTextEquals("results"u8);
                json.Read();
                if (!isResults) json.Skip();
                else if (json.TokenType != JsonTokenType.StartArray) return null;
                else results = ReadResults(ref json, content);
            }

            return results;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static List<(int Status, ReadOnlyMemory<byte> Body)> ReadResults(ref Utf8JsonReader json, ReadOnlyMemory<byte> content)
    {
        List<(int, ReadOnlyMemory<byte>)> results = [];
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            var (status, body) = (0, ReadOnlyMemory<byte>.Empty);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var (isStatus, isBody) = (json.ValueTextEquals("status"u8), json.ValueTextEquals("body"u8));
                json.Read();
                if (isStatus) status = json.GetInt32();
                var start = (int)json.TokenStartIndex;
                json.Skip();
                if (isBody) body = content[start..(int)json.BytesConsumed];
            }

            results.Add((status, body));
        }

        return results;
    }
}
