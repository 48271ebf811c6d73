using System.Text.Json;

namespace OrleansLeases.Client.Internal;

/// <summary>The contract's JSON, read strictly, and the checks that a reply answers its request.</summary>
internal static class Wire
{
    /// <summary>A null where the contract has a value makes the answer somebody else's.</summary>
    public static readonly LeaseJson Json = new(new JsonSerializerOptions(LeaseJson.Default.Options) { RespectNullableAnnotations = true });

    public static bool Fits(LeaseGrant grant, string resource, string owner, string requestId) =>
        grant.Resource == resource && grant.Owner == owner && grant.RequestId == requestId && Tokens.IsToken(grant.Token)
        && Fits(grant.Ttl, grant.Remaining, grant.Elapsed, grant.RenewAfter);

    public static bool Fits(LeaseRenewal renewal, RenewRequest request) =>
        renewal.Resource == request.Resource && renewal.Token == request.Token
        && Fits(renewal.Ttl, renewal.Remaining, renewal.Elapsed, renewal.RenewAfter)
        && renewal.Breaking is null or { EndsIn.Ticks: >= 0 };

    public static bool Fits(RenewBatchReply reply, RenewBatchRequest request) =>
        reply.Elapsed >= TimeSpan.Zero && reply.Results.Count == request.Leases.Count
        && reply.Results.Zip(request.Leases).All(pair => !pair.First.TryGetValue(out var renewal, out _) || Fits(renewal, pair.Second));

    public static bool Fits(LeaseBreak reply, BreakRequest request) =>
        reply.Resource == request.Resource && Tokens.IsToken(reply.Token) && (request.Token is null || reply.Token == request.Token)
        && reply.EndsIn >= TimeSpan.Zero;

    public static bool Fits(LeaseInfo info) =>
        info.LastToken is >= 0 and <= Tokens.Max && info.AvailableIn is null or { Ticks: >= 0 }
        && info.Holders.All(holder => Tokens.IsToken(holder.Token) && holder.Remaining >= TimeSpan.Zero);

    public static bool Fits(KeyValue value) => value.Version >= 1 && (value.Lease is not { } lease || Tokens.IsToken(lease.Token));

    public static LeaseGrant Later(LeaseGrant grant, TimeSpan by) => grant with { Elapsed = grant.Elapsed + by };

    public static LeaseRenewal Later(LeaseRenewal renewal, TimeSpan by) => renewal with { Elapsed = renewal.Elapsed + by };

    public static RenewBatchReply Later(RenewBatchReply reply, TimeSpan by) => new()
    {
        Elapsed = reply.Elapsed + by,
        Results = [.. reply.Results.Select(result => result.TryGetValue(out var renewal, out _) ? Later(renewal, by) : result)],
    };

    private static bool Fits(TimeSpan ttl, TimeSpan remaining, TimeSpan held, TimeSpan renewAfter) =>
        ttl > TimeSpan.Zero && remaining >= TimeSpan.Zero && held >= TimeSpan.Zero && renewAfter >= TimeSpan.Zero;
}
