using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Proofs;

/// <summary>Where the keys of proofs are retired that have leaked.</summary>
internal sealed class ProofKeyEndpoint(GrantProofs proofs, ServiceCalls calls)
{
    private const string Path = "/v1/proof-keys";

    public static void Map(IEndpointRouteBuilder endpoints, ProofKeyEndpoint keys)
    {
        RequestDelegate retire = keys.RetireAsync;
        endpoints.MapDelete(Path, retire).WithOperation(retire, new OperationMetadata("retireProofKeys")
        {
            Tag = "Access",
            Summary = "Retires the keys that sign proofs, because they have leaked: a new one signs from now on, and what the others have "
                + "signed proves nothing any more. Takes the right 'admin'.",
            Reply = typeof(RetiredProofKeys),
            Refusals = [RefusalCode.InvalidRequest, RefusalCode.Unavailable, RefusalCode.OutcomeUnknown],
        });
        endpoints.MapOtherMethods(Path, _ => "DELETE");
    }

    private async Task RetireAsync(HttpContext context)
    {
        FieldErrors errors = default;
        RequestBody.RequireNone(context, ref errors);
        _ = new QueryReader(context, FieldNames.None, ref errors);
        if (errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        // Where nobody is asked who is calling, everybody may do everything.
        var caller = context.Features.Get<LeaseCaller>();
        var answer = caller?.Rights.May(LeaseRights.Admin, "") == false
            ? new Refusal.Forbidden(
                $"'{caller.Principal}' has no right 'admin'; whoever keeps the access rules of this service can give it.")
            : await calls.ChangeAsync(
                context, async (_, _, stop) => await proofs.RetireAsync(stop), default(ValueTuple), requestId: null,
                context.RequestAborted);
        AuditLog.Told(context, answer.TryGetValue(out var retired, out var refusal) ? retired.KeyId : null, refusal);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.RetiredProofKeys);
    }
}
