using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;
using OrleansLeases.Gateway.Proofs;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The calls that change a lease.</summary>
internal sealed class LeaseChanges(ServiceCalls calls, GrantDelivery delivery, GrantProofs proofs, GatewayBounds bounds)
{
    private static readonly BodyReader<AcquireRequest> Acquire = new(LeaseJson.Default.AcquireRequest);

    public async Task AcquireAsync(HttpContext context)
    {
        if (await RequestBody.ReadAsync(context, Acquire) is not { } request) return;
        var waits = request.Wait > TimeSpan.Zero ? bounds.Waits : null;
        if (waits?.Enter() is { } full)
        {
            await Full.RefuseAsync(context, full);
            return;
        }

        try
        {
            // Before anything is granted: a grant without the proof that it was asked for would be held and of no use.
            var keys = default(ProofKeys);
            if (request.Proof && !(await proofs.KeysAsync(context.RequestAborted)).TryGetValue(out keys, out var noProof))
            {
                await ResponseWriter.RefuseAsync(context, noProof);
                return;
            }

            if (keys is not null) request = request with { Proof = false };

            // A wait would hold up the shutdown for as long as it lasts.
            using var wait = request.Wait > TimeSpan.Zero
                ? CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, calls.Stopping)
                : null;
            var cancellation = wait?.Token ?? context.RequestAborted;
            var answer = await calls.ChangeAsync(
                context, static (leases, request, stop) => leases.AcquireAsync(request, stop), request, request.RequestId, cancellation);
            if (answer.TryGetValue(out var grant, out var refusal))
            {
                if (keys is not null) grant = grant with { Proof = proofs.Sign(keys, grant) };
                await delivery.DeliverAsync(
                    context, [grant], grant.RequestId, () => ResponseWriter.WriteAsync(context, grant, LeaseJson.Default.LeaseGrant));
            }
            else
                await ResponseWriter.RefuseAsync(context, refusal);
        }
        finally
        {
            waits?.Leave();
        }
    }

    /// <summary>Answers one kind of change.</summary>
    /// <param name="request">The contract of its body.</param>
    /// <param name="change">The member of the service.</param>
    /// <param name="reply">The contract of its reply.</param>
    public RequestDelegate Answer<TRequest, TReply>(
        JsonTypeInfo<TRequest> request,
        Func<ILeaseService, TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> change,
        JsonTypeInfo<TReply> reply)
        where TRequest : class
        where TReply : class
    {
        var body = new BodyReader<TRequest>(request);
        return async context =>
        {
            if (await RequestBody.ReadAsync(context, body) is not { } asked) return;
            var answer = await calls.ChangeAsync(context, change, asked, body.RequestIdOf(asked), context.RequestAborted);
            await ResponseWriter.WriteAsync(context, answer, reply);
        };
    }
}
