namespace OrleansLeases.Core;

/// <summary>The calls of those outside the boundary. What a caller has no right to never reaches a keeper.</summary>
internal sealed partial class ServiceFront
{
    private async ValueTask<LeaseResult<TReply>> RunForAsync<TRequest, TReply>(
        LeaseCaller caller, Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        var access = new CallerAccess(caller);
        if (verb.Authorize?.Invoke(access, request) is { } forbidden) return Audited(caller, verb, request, forbidden);
        var (id, asked) = (verb.RequestId?.Get(request), request);
        if (id is not null) asked = verb.RequestId!.With(request, CallerRequestId.Of(caller.Principal, id));
        LeaseResult<TReply> result;
        try
        {
            result = await RunAdmittedAsync(verb, asked, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (verb.IsChange)
        {
            // It goes on without its caller.
            Audit(caller, verb, request, reply: null, "cancelled");
            throw;
        }

        if (verb.Authorize is not null && (verb.Wait is not null || !verb.IsChange) && caller.Rights != access.Rights)
        {
            // The rights were changed while the call waited. What it did stays done, but it grants and shows nothing under the old ones.
            access = new CallerAccess(caller);
            if (verb.Authorize(access, request) is { } late)
            {
                if (verb.Abandon is not null) await AbandonAsync(verb, host, Task.FromResult(result)).ConfigureAwait(false);
                return Audited(caller, verb, request, late);
            }
        }

        if (verb.Show is { } show && result.TryGetValue(out var reply, out _)) result = show(access, reply);
        return Audited(caller, verb, request, id is null ? result : CallerRequestId.Restore(result, id));
    }

    private LeaseResult<TReply> Audited<TRequest, TReply>(
        LeaseCaller caller, Verb<TRequest, TReply> verb, TRequest request, LeaseResult<TReply> result)
        where TReply : class
    {
        if (caller.Audit is null) return result;
        var isDone = result.TryGetValue(out var reply, out var refusal);
        if (refusal is Refusal.Forbidden || (verb.IsChange && !(isDone && verb.GoesOn)))
            Audit(caller, verb, request, reply, refusal is null ? "ok" : RefusalConverter.WordOf(refusal.Code));
        return result;
    }

    private void Audit<TRequest, TReply>(
        LeaseCaller caller, Verb<TRequest, TReply> verb, TRequest request, TReply? reply, string outcome)
        where TReply : class
    {
        // A batch is told by its calls.
        if (caller.Audit is not { } audit || verb.Subject is not { } subjectOf) return;
        var subject = subjectOf(request, reply);
        audit(new AuditRecord
        {
            At = RealTime.GetUtcNow(),
            Principal = caller.Principal,
            Address = caller.Address,
            Verb = verb.Name,
            Name = subject.Name,
            Owner = subject.Owner,
            Token = subject.Token,
            Outcome = outcome,
            RequestId = verb.RequestId?.Get(request),
        });
    }
}
