using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The calls that look at leases.</summary>
internal sealed class LeaseReads(ILeaseService leases, ServiceCalls calls)
{
    private static readonly FieldNames None = new(required: [], optional: []);
    private static readonly FieldNames GetParameters = new(required: [], optional: ["consistent"]);
    private static readonly FieldNames ListParameters = new(required: [], optional: ["prefix", "owner", "state", "pageSize", "after"]);

    public async Task GetAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var resource = RawPath.ReadName(context, "resource", ref errors);
        var consistent = new QueryReader(context, GetParameters, ref errors).Boolean("consistent", ref errors) ?? false;
        if (resource is null || errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var request = new GetLeaseRequest { Resource = resource, Consistent = consistent };
        await ResponseWriter.WriteAsync(context, await calls.ReadAsync(context, leases.GetAsync, request), LeaseJson.Default.LeaseInfo);
    }

    public async Task HistoryAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var resource = RawPath.ReadName(context, "resource", ref errors);
        _ = new QueryReader(context, None, ref errors);
        if (resource is null || errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ReadAsync(context, leases.HistoryAsync, resource);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.LeaseHistory);
    }

    public async Task ListAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var request = ReadListing(context, ref errors);
        if (errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        await ResponseWriter.WriteAsync(context, await calls.ReadAsync(context, leases.ListAsync, request), LeaseJson.Default.LeasePage);
    }

    private static ListLeasesRequest ReadListing(HttpContext context, ref FieldErrors errors)
    {
        var query = new QueryReader(context, ListParameters, ref errors);
        var request = new ListLeasesRequest
        {
            Prefix = query.Text("prefix"),
            Owner = query.Text("owner"),
            State = query.Word<LeaseFilter>("state", ref errors) ?? LeaseFilter.Held,
            After = query.Text("after"),
        };
        return query.Count("pageSize", ref errors) is { } pageSize ? request with { PageSize = pageSize } : request;
    }
}
