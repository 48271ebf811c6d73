namespace OrleansLeases.Core;

/// <summary>One call to a keeper, from its receipt to its answer: a reply record or a <see cref="Refusal"/>.</summary>
internal abstract class Turn(Now received) : TaskCompletionSource<object>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public Now Received { get; } = received;

    /// <summary>Counts the turns of a keeper in the order of their arrival.</summary>
    public long Number { get; set; }

    /// <summary>Whether the record should stay in memory for more of its kind.</summary>
    public abstract bool IsUse { get; }
}

/// <summary>One call about a lease.</summary>
internal sealed class LeaseTurn(LeaseCommand command, Now received) : Turn(received)
{
    public LeaseCommand Command { get; } = command;

    /// <summary>For a read, how to answer from the state.</summary>
    public Func<LeaseKeeper, LeaseState, Now, object>? View { get; init; }

    /// <summary>What it asked for is stored, and was over before that could be told: its end is on its way into the store.</summary>
    public bool IsStored { get; set; }

    /// <summary>Compare with the stored version before answering.</summary>
    public bool Fresh { get; init; }

    public CancellationToken Cancellation { get; init; }

    public override bool IsUse => Command is not (LeaseCommand.Detach or LeaseCommand.CleanUpDone);

    public string? RequestId => Command switch
    {
        LeaseCommand.Acquire acquire => acquire.Request.RequestId,
        LeaseCommand.Transfer transfer => transfer.Request.RequestId,
        LeaseCommand.Break order => order.Request.RequestId,
        _ => null,
    };
}

/// <summary>A place in line and, while its client is there, the call that waits.</summary>
internal sealed class Waiter(LeaseCommand.Acquire command)
{
    /// <summary>How long a place is kept for a client that is not there.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    public LeaseCommand.Acquire Command { get; } = command;

    public LeaseTurn? Call { get; private set; }

    /// <summary>When the place changes by itself: the call's wait runs out, or the place is lost.</summary>
    public TimeSpan Until { get; private set; }

    public CancellationTokenRegistration Registration { get; set; }

    public void Attend(LeaseTurn call, TimeSpan wait)
    {
        Call = call;
        Until = call.Received.Mono + wait;
    }

    public void Leave(TimeSpan now)
    {
        Call = null;
        Until = now + KeptFor;
    }
}
