using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Audit;

/// <summary>The verbs of the audit, by the operations of the HTTP contract.</summary>
internal static class AuditVerbs
{
    private const string Unknown = "unknown";

    private static readonly FrozenDictionary<string, string> Others = new Dictionary<string, string>
    {
        ["acquireLease"] = "acquire",
        ["renewLease"] = "renew",
        ["renewLeases"] = "renew-batch",
        ["releaseLease"] = "release",
        ["transferLease"] = "transfer",
        ["breakLease"] = "break",
        ["getLease"] = "get",
        ["listLeases"] = "list",
        ["getLeaseHistory"] = "history",
        ["addToCounter"] = "add",
        ["getInfo"] = "info",
        ["whoAmI"] = "whoami",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What a call asks for; <c>unknown</c> where it asks for nothing that there is.</summary>
    public static string Of(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<OperationMetadata>() is not { Name: var name }) return Unknown;
        return Others.TryGetValue(name, out var verb) ? verb : JsonNamingPolicy.KebabCaseLower.ConvertName(name);
    }
}
