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
/// <param name="Content">What was asked for, without the wait.</param>
public readonly record struct RequestFingerprint(
    [property: JsonPropertyName("i")] long Id,
    [property: JsonPropertyName("c")] int Content)
{
    internal static RequestFingerprint Of(AcquireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var content = new StringBuilder(request.Owner.Length + 48)
            .Append(request.Owner).Append('\0').Append(request.Ttl.Ticks).Append('\0').Append((int)request.Mode)
            .Append('\0').Append(request.Capacity).Append('\0').Append(request.LockDelay.Ticks);
        if (request.Metadata is { Count: > 0 } metadata)
        {
            foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                content.Append('\0').Append(key.Length).Append('\0').Append(key)
                    .Append('\0').Append(value.Length).Append('\0').Append(value);
            }
        }

        return Of("acquire", request.RequestId, content.ToString());
    }

    internal static RequestFingerprint Of(TransferRequest request) =>
        Of("transfer", request.RequestId, $"{request.Owner}\0{request.Token}\0{request.NewOwner}\0{request.Ttl?.Ticks}");

    internal static RequestFingerprint Of(BreakRequest request) =>
        Of("break", request.RequestId, $"{request.Token}\0{request.Grace.Ticks}\0{request.Force}\0{request.Reason}");

    internal static RequestFingerprint Of(PutKeyRequest request) =>
        Of("put", request.RequestId, $"{request.IfVersion}\0{ContentOf(request.Lease)}\0{request.Value}");

    internal static RequestFingerprint Of(AddToCounterRequest request) =>
        Of("add", request.RequestId, $"{request.Delta}\0{ContentOf(request.Lease)}");

    private static string ContentOf(KeyLease? lease) => lease is null ? "" : $"{lease.Resource}\0{lease.Owner}\0{lease.Token}";

    private static RequestFingerprint Of(string verb, string? requestId, string content)
    {
        ArgumentNullException.ThrowIfNull(requestId);
        return new(BinaryPrimitives.ReadInt64LittleEndian(Digest($"{verb}\0{requestId}")),
            BinaryPrimitives.ReadInt32LittleEndian(Digest(content)));
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
