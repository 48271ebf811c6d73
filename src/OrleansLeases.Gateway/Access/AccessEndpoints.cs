using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Access;

/// <summary>The API keys of the service, and who the caller is.</summary>
internal sealed class AccessEndpoints(LeaseAccessExtensions.AccessKeys? access, ServiceCalls calls)
{
    private readonly ApiKeys? _keys = access?.Stored;

    private const string Tag = "Access";
    private const string Path = "/v1/tokens";
    private const string Named = Path + "/{**id}";
    private const int MaxNameLength = 128;

    private static readonly BodyReader<CreateApiKeyRequest> Create = new(LeaseJson.Default.CreateApiKeyRequest);
    private static readonly CallerInfo Anonymous = new()
    {
        Principal = "anonymous",
        Rules = [new() { Prefix = "", Verbs = [.. Words(~LeaseRights.None)], Owners = ["*"] }],
        Quotas = [],
    };

    public static void Map(IEndpointRouteBuilder endpoints, AccessEndpoints access)
    {
        RequestDelegate whoami = access.WhoAmIAsync, create = access.CreateAsync, list = access.ListAsync, revoke = access.RevokeAsync;
        endpoints.MapGet("/v1/whoami", whoami).WithOperation(whoami, new OperationMetadata("whoAmI")
        {
            Tag = Tag,
            Summary = "Tells who the caller is and what it may do. Where the service wants no credentials, everybody is 'anonymous'.",
            Reply = typeof(CallerInfo),
        });
        endpoints.MapOtherMethods("/v1/whoami", _ => "GET");
        RefusalCode[] refusals = [RefusalCode.InvalidRequest, RefusalCode.Unavailable];
        endpoints.MapPost(Path, create).WithOperation(create, new OperationMetadata("createToken")
        {
            Tag = Tag,
            Summary = "Makes an API key, and shows it this once. Takes the right 'admin'.",
            Body = typeof(CreateApiKeyRequest),
            Reply = typeof(CreatedApiKey),
            Refusals = [.. refusals, RefusalCode.LimitReached, RefusalCode.OutcomeUnknown],
        });
        endpoints.MapGet(Path, list).WithOperation(list, new OperationMetadata("listTokens")
        {
            Tag = Tag,
            Summary = "Lists the API keys, without what proves them. Takes the right 'admin'.",
            Reply = typeof(ApiKeyList),
            Refusals = refusals,
        });
        endpoints.MapOtherMethods(Path, _ => "GET, POST");
        endpoints.MapDelete(Named, revoke).WithOperation(revoke, new OperationMetadata("revokeToken")
        {
            Tag = Tag,
            Summary = "Revokes an API key: it is refused everywhere within 5 s. Takes the right 'admin'.",
            Reply = typeof(RevokedApiKey),
            Refusals = [.. refusals, RefusalCode.OutcomeUnknown],
            Parameters = [new("id", "path", typeof(string), "The key's id, as it is listed.")],
        });
        endpoints.MapOtherMethods(Named, _ => "DELETE");
    }

    private async Task WhoAmIAsync(HttpContext context)
    {
        var caller = context.Features.Get<LeaseCaller>();
        await ResponseWriter.WriteAsync(context, caller is null ? Anonymous : Of(caller), LeaseJson.Default.CallerInfo);
    }

    private async Task CreateAsync(HttpContext context)
    {
        if (await RefuseAsync(context) || await RequestBody.ReadAsync(context, Create) is not { } request) return;
        FieldErrors errors = default;
        if (request.Name is not { Length: > 0 and <= MaxNameLength } || request.Name.Any(char.IsControl))
            errors.Add("name", $"takes 1 to {MaxNameLength} characters, none of them a control character");
        if (!PrincipalName.IsValid(request.Principal)) errors.Add("principal", $"takes {PrincipalName.Form}");
        if (request.ExpiresIn is { } expires && (expires <= TimeSpan.Zero || expires > TimeSpan.FromDays(36_500)))
            errors.Add("expiresInMs", "takes more than 0, up to a hundred years");
        if (errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ChangeAsync(
            context,
            async (_, asked, stop) => _keys!.IsFull
                ? new Refusal.LimitReached("tokens", TimeSpan.Zero, $"There are {ApiKeys.Most} API keys already; revoke some.")
                : (LeaseResult<CreatedApiKey>)await _keys.CreateAsync(asked, stop),
            request,
            requestId: null,
            context.RequestAborted);
        AuditLog.Told(context, answer.TryGetValue(out var made, out var refusal) ? made.Id : null, refusal, request.Principal);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.CreatedApiKey);
    }

    private async Task ListAsync(HttpContext context)
    {
        if (await RefuseAsync(context)) return;
        FieldErrors errors = default;
        _ = new QueryReader(context, FieldNames.None, ref errors);
        if (errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ReadAsync(
            context, async (_, _, stop) => (LeaseResult<ApiKeyList>)await _keys!.ListAsync(stop), default(ValueTuple));
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.ApiKeyList);
    }

    private async Task RevokeAsync(HttpContext context)
    {
        if (await RefuseAsync(context)) return;
        FieldErrors errors = default;
        var id = RawPath.ReadName(context, "id", ref errors);
        RequestBody.RequireNone(context, ref errors);
        _ = new QueryReader(context, FieldNames.None, ref errors);
        if (id is not null && !ApiKeyText.IsId(id)) errors.Add("id", $"takes the {ApiKeyText.IdLength} hexadecimal digits of a key's id");
        if (id is null || errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ChangeAsync(
            context,
            async (_, asked, stop) => (LeaseResult<RevokedApiKey>)await _keys!.RevokeAsync(asked, stop),
            id,
            requestId: null,
            context.RequestAborted);
        AuditLog.Told(context, id, answer.Refusal);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.RevokedApiKey);
    }

    private async ValueTask<bool> RefuseAsync(HttpContext context)
    {
        var caller = context.Features.Get<LeaseCaller>();
        Refusal? refusal = access is null
            ? new Refusal.Forbidden("This service wants no credentials, so it has no API keys; start it with an access file.")
            : _keys is null
            ? new Refusal.Forbidden("This gateway has no store for API keys; ask a silo.")
            : caller?.Rights.May(LeaseRights.Admin, "") == true ? null
            : new Refusal.Forbidden(
                $"'{caller?.Principal}' has no right 'admin'; whoever keeps the access rules of this service can give it.");
        if (refusal is null) return false;
        AuditLog.Told(context, name: null, refusal);
        await ResponseWriter.RefuseAsync(context, refusal);
        return true;
    }

    private static CallerInfo Of(LeaseCaller caller) => new()
    {
        Principal = caller.Principal,
        Rules = [.. caller.Rights.Rules.Select(rule => new CallerRule
        {
            Prefix = rule.Prefix, Verbs = [.. Words(rule.Rights)], Owners = rule.Owners.Count > 0 ? rule.Owners : null,
        })],
        Quotas = caller.Rights.Quotas,
    };

    private static IEnumerable<string> Words(LeaseRights rights) =>
        from right in Enum.GetValues<LeaseRights>()
        where right != LeaseRights.None && rights.HasFlag(right)
        select right.ToString().ToLowerInvariant();
}
