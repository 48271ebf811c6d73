namespace OrleansLeases.Core;

/// <summary>A call that is being counted; the default is one that is not.</summary>
/// <param name="metrics">What counts it.</param>
/// <param name="verb">Its verb.</param>
/// <param name="time">The clock of its duration.</param>
internal readonly struct ObservedCall(OperationMetrics metrics, string verb, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    /// <summary>Has the call end with its answer.</summary>
    public async ValueTask<LeaseResult<TReply>> EndWithAsync<TReply>(ValueTask<LeaseResult<TReply>> answer)
        where TReply : class
    {
        try
        {
            var result = await answer.ConfigureAwait(false);
            Answered(result.Refusal);
            return result;
        }
        catch (OperationCanceledException)
        {
            End(Tags.Cancelled);
            throw;
        }
        catch (Exception)
        {
            End(Tags.Error);
            throw;
        }
    }

    public void Answered(Refusal? refusal) => End(ServiceFront.OutcomeOf(refusal));

    private void End(string outcome) => metrics.Answered(verb, outcome, time.GetElapsedTime(_start));
}
