using System.Diagnostics;

namespace OrleansLeases.Core;

/// <summary>One call to a keeper, from its receipt to its response. The keeper processes its calls one at a time.</summary>
internal interface IPendingCall
{
    Instant Received { get; }

    /// <summary>Counts the calls of a keeper in the order of their arrival.</summary>
    long Number { get; set; }

    /// <summary>Whether the record should stay in memory for more calls of its kind.</summary>
    bool IsUse { get; }

    /// <summary>Has the keeper process the call; the keeper has nothing else to do meanwhile.</summary>
    ValueTask ProcessAsync();

    void Refuse(Refusal refusal);

    void Fault(Exception defect);
}

/// <summary>A call as the loop of its keeper sees it. It is its own response, so that a call costs no further object.</summary>
/// <typeparam name="TState">The record.</typeparam>
/// <typeparam name="TReply">The response, where the call is not refused.</typeparam>
internal abstract class PendingCall<TState, TReply>(Instant received)
    : TaskCompletionSource<LeaseResult<TReply>>(TaskCreationOptions.RunContinuationsAsynchronously), IPendingCall
    where TState : class
    where TReply : class
{
    public Instant Received { get; } = received;

    public long Number { get; set; }

    public CancellationToken Cancellation { get; init; }

    /// <summary>Its span, from its receipt to its response; null where it is not traced.</summary>
    public Activity? Span { get; private set; }

    /// <summary>Traces the call, where somebody listens and its caller is traced.</summary>
    public void Trace(string name, KeeperHost host)
    {
        var parent = Activity.Current?.Context ?? host.Carried?.Invoke() ?? default;
        if (parent == default || LeaseTracing.StartDetached(name, parent) is not { } span) return;
        Span = span;
        _ = Task.ContinueWith(
            static (_, span) => ((Activity)span!).Dispose(), span, CancellationToken.None, TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    /// <summary>
    /// The change of the call is stored, and its lease ended before the keeper could respond: the end is being stored.
    /// </summary>
    public bool IsStored { get; set; }

    public abstract bool IsUse { get; }

    /// <summary>Whether nobody waits for the response, so that other saves may go first.</summary>
    public abstract bool IsBackground { get; }

    /// <summary>Whether the keeper must have compared the record with the store since the call arrived.</summary>
    public abstract bool RequiresFreshRead { get; }

    /// <summary>What the caller gets where the store did not say whether it took the change.</summary>
    public abstract Refusal UnknownOutcome { get; }

    /// <summary>Finds the next record and the response.</summary>
    public abstract Step<TState> Apply(TState state, Instant now);

    /// <summary>Responds by what <see cref="Apply"/> found, which is stored by now.</summary>
    /// <returns>False where time has ended, meanwhile, what the response rests on.</returns>
    public abstract bool TryRespond(TState state, bool durable);

    /// <summary>Responds where the store did not say whether it took the change.</summary>
    public virtual void RespondUnknown() => Refuse(UnknownOutcome);

    public abstract ValueTask ProcessAsync();

    public void Refuse(Refusal refusal) => TrySetResult(refusal);

    public void Fault(Exception defect) => TrySetException(defect);

    /// <summary>
    /// Responds to a call that came to nothing; unless something of it is stored, of which the refusal would not be true.
    /// </summary>
    public void Fail(Refusal refusal) => Refuse(IsStored ? UnknownOutcome : refusal);
}

/// <summary>What one call does to a record.</summary>
/// <typeparam name="TState">The record.</typeparam>
/// <param name="Next">The next record.</param>
/// <param name="Durable">Whether it must be stored before the keeper responds.</param>
/// <param name="RequiresFreshRead">Whether a newer record might know better: compare with the store before responding.</param>
/// <param name="Drops">Whether the record is to be dropped; there is no next one then.</param>
internal readonly record struct Step<TState>(TState Next, bool Durable, bool RequiresFreshRead, bool Drops = false)
    where TState : class;
