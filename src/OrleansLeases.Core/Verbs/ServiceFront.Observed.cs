using System.Diagnostics;

namespace OrleansLeases.Core;

/// <summary>The calls as they are counted and traced, where somebody listens. Where nobody does, none of this is reached.</summary>
internal sealed partial class ServiceFront
{
    private bool IsCounted => Metrics is { TimesCalls: true };

    private bool IsObserved => IsCounted || LeaseTracing.IsOn;

    // A renewal in memory is answered at once, and is worth no state machine to be counted.
    private ValueTask<LeaseResult<TReply>> RunObservedAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        if (LeaseTracing.IsOn) return RunTracedAsync(verb, request, timeout, cancellationToken);
        var call = Observe(verb.Name);
        var answer = RunUnobservedAsync(verb, request, timeout, cancellationToken);
        if (!answer.IsCompletedSuccessfully) return call.EndWithAsync(answer);
        var result = answer.Result;
        call.Answered(result.Refusal);
        return new(result);
    }

    // Apart: a closure is made where its method begins, whether it is needed or not.
    private ValueTask<LeaseResult<TReply>> RunTracedAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class => TraceAsync(
            verb.Name, NameIn(verb, request), () => RunUnobservedAsync(verb, request, timeout, cancellationToken));

    private ValueTask<LeaseResult<BatchReply>> RunObservedBatchAsync(BatchRequest request, CancellationToken cancellationToken) =>
        ObserveAsync("batch", name: null, () => RunBatchAsync(request, cancellationToken));

    /// <summary>Observes a call, where somebody listens.</summary>
    private ValueTask<LeaseResult<TReply>> ObserveAsync<TReply>(string verb, string? name, Func<ValueTask<LeaseResult<TReply>>> run)
        where TReply : class =>
        LeaseTracing.IsOn ? TraceAsync(verb, name, run) : IsCounted ? Observe(verb).EndWithAsync(run()) : run();

    // As a method of its own, what it makes current is so within it alone.
    private async ValueTask<LeaseResult<TReply>> TraceAsync<TReply>(string verb, string? name, Func<ValueTask<LeaseResult<TReply>>> run)
        where TReply : class
    {
        using var span = LeaseTracing.Source.StartActivity($"leases.{verb}");
        if (span is not null)
        {
            span.SetTag(Tags.Verb, verb).SetTag("leases.name", name);
            host.Carry(span);
        }

        try
        {
            var result = IsCounted
                ? await Observe(verb).EndWithAsync(run()).ConfigureAwait(false)
                : await run().ConfigureAwait(false);
            span.Answered(OutcomeOf(result.Refusal), result.Refusal is Refusal.OutcomeUnknown or Refusal.Unavailable);
            if (span is not null && result.TryGetValue(out var reply, out _) && reply is LeaseGrant grant)
                span.SetTag("leases.token", grant.Token);
            return result;
        }
        catch (Exception error)
        {
            span.Answered(error is OperationCanceledException ? Tags.Cancelled : Tags.Error, error is not OperationCanceledException);
            throw;
        }
    }

    private ObservedCall Observe(string verb) => new(Metrics!, verb, time);

    private static string? NameIn<TRequest, TReply>(Verb<TRequest, TReply> verb, TRequest request)
        where TReply : class => verb.Subject?.Invoke(request, null).Name;

    internal static string OutcomeOf(Refusal? refusal) => refusal is null ? Tags.Ok : RefusalConverter.WordOf(refusal.Code);
}
