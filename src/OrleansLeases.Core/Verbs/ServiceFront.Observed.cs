namespace OrleansLeases.Core;

/// <summary>The calls as they are counted, where somebody listens. Where nobody does, none of this is reached.</summary>
internal sealed partial class ServiceFront
{
    private bool IsObserved => Metrics is { TimesCalls: true };

    // A renewal in memory is answered at once, and is worth no state machine.
    private ValueTask<LeaseResult<TReply>> RunObservedAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        var call = Observe(verb.Name);
        var answer = RunUnobservedAsync(verb, request, timeout, cancellationToken);
        if (!answer.IsCompletedSuccessfully) return call.EndWithAsync(answer);
        var result = answer.Result;
        call.Answered(result.Refusal);
        return new(result);
    }

    private ObservedCall Observe(string verb) => new(Metrics!, verb, time);
}
