using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The calls that look at leases.</summary>
internal sealed class LeaseReads(ServiceCalls calls)
{
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
        var answer = await calls.ReadAsync(context, static (leases, request, stop) => leases.GetAsync(request, stop), request);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.LeaseInfo);
    }

    public async Task HistoryAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var resource = RawPath.ReadName(context, "resource", ref errors);
        _ = new QueryReader(context, FieldNames.None, ref errors);
        if (resource is null || errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ReadAsync(context, static (leases, resource, stop) => leases.HistoryAsync(resource, stop), resource);
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

        var answer = await calls.ReadAsync(context, static (leases, request, stop) => leases.ListAsync(request, stop), request);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.LeasePage);
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
