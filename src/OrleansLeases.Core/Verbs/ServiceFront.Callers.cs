namespace OrleansLeases.Core;

/// <summary>The calls of those outside the boundary. What a caller has no right to, or no room for, never reaches a keeper.</summary>
internal sealed partial class ServiceFront
{
    private async ValueTask<LeaseResult<TReply>> RunForAsync<TRequest, TReply>(
        LeaseCaller caller, Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        var access = new CallerAccess(caller);
        var hasQuotas = access.Rights.Quotas.Count > 0;
        if (verb.Authorize?.Invoke(access, request) is { } forbidden)
        {
            var name = verb.Subject?.Invoke(request, null).Name ?? "";
            return hasQuotas && _quotas.TakeCall(caller, access.Rights, name) is { } tooMany
                ? OverQuota(tooMany) : Audited(caller, verb, request, forbidden);
        }

        var demand = hasQuotas ? verb.Demand?.Invoke(request) : null;
        if (demand is { } needed && await _quotas.TakeAsync(caller, access.Rights, needed).ConfigureAwait(false) is { } exceeded)
            return Audited(caller, verb, request, OverQuota(exceeded));
        var isSettled = false;
        try
        {
            var result = await RunOwnAsync(caller, verb, request, timeout, cancellationToken).ConfigureAwait(false);
            result = await StillAllowedAsync(caller, access, verb, request, result).ConfigureAwait(false);
            if (hasQuotas) result = _quotas.Settle(caller, access.Rights, verb, request, demand, result);
            isSettled = true;
            return Audited(caller, verb, request, result);
        }
        catch (OperationCanceledException) when (verb.IsChange)
        {
            // It goes on without its caller.
            Audit(caller, verb, request, reply: null, "cancelled");
            throw;
        }
        finally
        {
            if (!isSettled && demand is { } taken) _quotas.Leave(caller, access.Rights, taken, verb.IsChange);
        }
    }

    /// <summary>Runs a call under a request id that is its principal's own.</summary>
    private async ValueTask<LeaseResult<TReply>> RunOwnAsync<TRequest, TReply>(
        LeaseCaller caller, Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        if (!caller.HasOwnRequestIds || verb.RequestId?.Get(request) is not { } id)
            return await RunAdmittedAsync(verb, request, timeout, cancellationToken).ConfigureAwait(false);
        var own = verb.RequestId.With(request, CallerRequestId.Of(caller.Principal, id));
        return CallerRequestId.Restore(await RunAdmittedAsync(verb, own, timeout, cancellationToken).ConfigureAwait(false), id);
    }

    /// <summary>
    /// What a caller may see of a response. Where its rights were changed while the call waited, what the call did stays done, but it
    /// grants and shows nothing under the old ones.
    /// </summary>
    private async ValueTask<LeaseResult<TReply>> StillAllowedAsync<TRequest, TReply>(
        LeaseCaller caller, CallerAccess access, Verb<TRequest, TReply> verb, TRequest request, LeaseResult<TReply> result)
        where TReply : class
    {
        if (verb.Authorize is not null && (verb.Wait is not null || !verb.IsChange) && caller.Rights != access.Rights)
        {
            access = new CallerAccess(caller);
            if (verb.Authorize(access, request) is { } late)
            {
                if (verb.Abandon is not null) await AbandonAsync(verb, host, Task.FromResult(result)).ConfigureAwait(false);
                return late;
            }
        }

        return verb.Show is { } show && result.TryGetValue(out var reply, out _) ? show(access, reply) : result;
    }

    private LeaseResult<TReply> Audited<TRequest, TReply>(
        LeaseCaller caller, Verb<TRequest, TReply> verb, TRequest request, LeaseResult<TReply> result)
        where TReply : class
    {
        var isDone = result.TryGetValue(out var reply, out var refusal);
        if (refusal is Refusal.Forbidden) Metrics?.Forbidden(verb.Name);
        if (caller.Audit is null) return result;
        if (refusal is Refusal.Forbidden || (verb.IsChange && !(isDone && verb.GoesOn)))
            Audit(caller, verb, request, reply, refusal is null ? "ok" : RefusalConverter.WordOf(refusal.Code));
        return result;
    }

    private Refusal OverQuota(Refusal refusal)
    {
        Metrics?.OverQuota(refusal);
        return refusal;
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
