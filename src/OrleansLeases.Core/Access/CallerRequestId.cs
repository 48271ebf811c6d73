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
    public static string Of(string principal, string requestId) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{principal}\0{requestId}")));

    public static LeaseResult<TReply> Restore<TReply>(LeaseResult<TReply> result, string requestId)
        where TReply : class => result.TryGetValue(out var reply, out var refusal)
            ? reply is LeaseGrant grant ? (TReply)(object)(grant with { RequestId = requestId }) : result
            : refusal is Refusal.OutcomeUnknown unknown ? unknown with { RequestId = requestId } : result;
}
