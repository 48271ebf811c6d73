using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Proofs;

namespace OrleansLeases.Gateway.Service;

/// <summary>The calls about the service itself.</summary>
internal sealed class ServiceReads(ServiceCalls calls, GrantProofs proofs)
{
    private static readonly byte[] Live = """{"status":"live"}"""u8.ToArray();
    private static readonly byte[] Ready = """{"status":"ready"}"""u8.ToArray();

    public Task LiveAsync(HttpContext context) =>
        calls.Memory.Refusal is { } refusal ? ResponseWriter.RefuseAsync(context, refusal) : ResponseWriter.WriteAsync(context, Live);

    public async Task ReadyAsync(HttpContext context)
    {
        var info = await InfoOfAsync(context);
        if (calls.Stopping.IsCancellationRequested)
            await ResponseWriter.RefuseAsync(context, Failures.ShuttingDown);
        else if (calls.Memory.Refusal is { } outOfMemory)
            await ResponseWriter.RefuseAsync(context, outOfMemory);
        else if (info.Refusal is { } refusal)
            await ResponseWriter.RefuseAsync(context, refusal);
        else
            await ResponseWriter.WriteAsync(context, Ready);
    }

    public async Task InfoAsync(HttpContext context)
    {
        var answer = await InfoOfAsync(context);
        if (answer.TryGetValue(out var info, out _)) answer = info with { Service = await proofs.ServiceAsync(context.RequestAborted) };
        await ResponseWriter.WriteAsync(context, answer, LeaseJson.Default.ServiceInfo);
    }

    public async Task MembersAsync(HttpContext context) => await ResponseWriter.WriteAsync(
        context, await calls.ReadAsync(context, static (leases, _, stop) => leases.ListMembersAsync(stop), default(ValueTuple)),
        LeaseJson.Default.MemberList);

    private ValueTask<LeaseResult<ServiceInfo>> InfoOfAsync(HttpContext context) =>
        calls.ReadAsync(context, static (leases, _, stop) => leases.InfoAsync(stop), default(ValueTuple));
}
