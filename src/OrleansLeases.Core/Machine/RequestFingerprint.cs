using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace OrleansLeases.Core;

/// <summary>
/// A request id and the content it came with, as they are remembered: digests, so that hundreds of them stay small. Two
/// ids of one resource collide by chance once in 2^64; SHA-256 keeps anyone from making them collide on purpose.
/// </summary>
/// <param name="Id">The verb and the request id.</param>
/// <param name="Content">A hash of the request, without the wait.</param>
internal readonly partial record struct RequestFingerprint(
    [property: JsonPropertyName("i")] long Id,
    [property: JsonPropertyName("c")] int Content)
{
    private static RequestFingerprint Of(string verb, string? requestId, string content)
    {
        ArgumentNullException.ThrowIfNull(requestId);
        return new(BinaryPrimitives.ReadInt64LittleEndian(Digest($"{verb}\0{requestId}")),
            BinaryPrimitives.ReadInt32LittleEndian(Digest(content)));
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
