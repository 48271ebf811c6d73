using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Keys;

/// <summary>The calls about keys and counters.</summary>
internal sealed class KeyHandlers(ServiceCalls calls)
{
    private const string Key = "key";

    private static readonly BodyReader<PutKeyRequest> Put = new(LeaseJson.Default.PutKeyRequest);
    private static readonly BodyReader<AddToCounterRequest> Add = new(LeaseJson.Default.AddToCounterRequest);
    private static readonly FieldNames DeleteParameters = new(required: [], optional: ["ifVersion"]);
    private static readonly FieldNames ListParameters = new(required: [], optional: ["prefix", "pageSize", "after"]);

    public Task PutAsync(HttpContext context) =>
        WriteAsync(context, Put, static (leases, key, put, stop) => leases.PutKeyAsync(key, put, stop), LeaseJson.Default.KeyPut);

    public Task AddAsync(HttpContext context) =>
        WriteAsync(
            context, Add, static (leases, key, add, stop) => leases.AddToCounterAsync(key, add, stop), LeaseJson.Default.CounterValue);

    public async Task GetAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var key = RawPath.ReadName(context, Key, ref errors);
        _ = new QueryReader(context, FieldNames.None, ref errors);
        if (key is null || errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ReadAsync(context, static (leases, key, stop) => leases.GetKeyAsync(key, stop), key);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.KeyValue);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var key = RawPath.ReadName(context, Key, ref errors);
        RequestBody.RequireNone(context, ref errors);
        var ifVersion = new QueryReader(context, DeleteParameters, ref errors).Integer("ifVersion", ref errors);
        if (key is null || errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ChangeAsync(
            context,
            static (leases, delete, stop) => leases.DeleteKeyAsync(delete.key, delete.ifVersion, stop),
            (key, ifVersion),
            requestId: null,
            context.RequestAborted);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.KeyDeletion);
    }

    public async Task ListAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var query = new QueryReader(context, ListParameters, ref errors);
        var request = new ListKeysRequest { Prefix = query.Text("prefix"), After = query.Text("after") };
        if (query.Count("pageSize", ref errors) is { } pageSize) request = request with { PageSize = pageSize };
        if (errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        var answer = await calls.ReadAsync(context, static (leases, request, stop) => leases.ListKeysAsync(request, stop), request);
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.KeyPage);
    }

    private async Task WriteAsync<TRequest, TReply>(
        HttpContext context,
        BodyReader<TRequest> body,
        Func<ILeaseService, string, TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> write,
        JsonTypeInfo<TReply> reply)
        where TRequest : class
        where TReply : class
    {
        FieldErrors errors = default;
        var key = RawPath.ReadName(context, Key, ref errors);
        if (key is null || errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        if (await RequestBody.ReadAsync(context, body) is not { } request) return;
        var answer = await calls.ChangeAsync(
            context,
            (leases, asked, cancellation) => write(leases, key, asked, cancellation),
            request,
            body.RequestIdOf(request),
            context.RequestAborted);
        await ResponseWriter.WriteAsync(context, answer, reply);
    }
}
