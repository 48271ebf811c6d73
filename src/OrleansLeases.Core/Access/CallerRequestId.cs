using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace OrleansLeases.Core;

/// <summary>
/// Request ids belong to their principal: the keepers see a digest of both, so that nobody can be answered with the grant of another
/// who happened, or managed, to use the same id. Responses name the caller's own.
/// </summary>
internal static class CallerRequestId
{
    private const int OnStack = 1024;

    public static string Of(string principal, string requestId)
    {
        var most = Encoding.UTF8.GetMaxByteCount(principal.Length + 1 + requestId.Length);
        var text = most <= OnStack ? stackalloc byte[OnStack] : new byte[most];
        var length = Encoding.UTF8.GetBytes(principal, text);
        text[length++] = 0;
        length += Encoding.UTF8.GetBytes(requestId, text[length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        return Base64Url.EncodeToString(hash);
    }

    public static LeaseResult<TReply> Restore<TReply>(LeaseResult<TReply> result, string requestId)
        where TReply : class => result.TryGetValue(out var reply, out var refusal)
            ? reply is LeaseGrant grant ? (TReply)(object)(grant with { RequestId = requestId }) : result
            : refusal is Refusal.OutcomeUnknown unknown ? unknown with { RequestId = requestId } : result;
}
