using System.Diagnostics;

namespace OrleansLeases.Core;

/// <summary>One call about a lease.</summary>
internal sealed class LeaseCall<TReply>(LeaseKeeper keeper, LeaseCommand<TReply> command, Instant received)
    : PendingCall<LeaseState, TReply>(received)
    where TReply : class
{
    private LeaseReply<TReply>? _reply;
    private IReadOnlyList<GrantedRequest> _granted = [];

    public override bool IsUse => command.IsUse;

    public override bool IsBackground => command.IsBackground && !keeper.SomeoneWaits;

    public override bool RequiresFreshRead => command.RequiresFreshRead(keeper.IsSingleWriter);

    public override Refusal UnknownOutcome => command.IsRead
        ? new Refusal.Unavailable(Keeper.RetryAfter, "The store did not answer.")
        : Keeper.UnknownOutcome(command.RequestId);

    public override ValueTask ProcessAsync() => keeper.ProcessAsync(this);

    public override Step<LeaseState> Apply(LeaseState state, Instant now)
    {
        var transition = keeper.Apply(state, command, now);
        (_reply, _granted) = (transition.Reply, transition.Granted);
        return new(transition.Next, transition.Durable, transition.RequiresFreshRead);
    }

    public override bool TryRespond(LeaseState state, bool durable)
    {
        if (_granted.Count > 0) keeper.RespondToGranted(_granted, command, Span);
        var now = keeper.ReadClock();
        var reply = _reply!;
        if (reply.IsOvertaken(state, durable, now)) return false;
        if (command is LeaseCommand.Renew) keeper.CountRenewal(reply, durable || IsStored);
        if (reply.Refusal is Refusal.Held && command.TryWait(keeper, this, now)) return true;
        TryRespond(reply, state, now);
        return true;
    }

    public override void RespondUnknown()
    {
        base.RespondUnknown();
        foreach (var (call, _) in keeper.Dequeue(_granted, command, Span, out _)) call.Refuse(call.UnknownOutcome);
    }

    /// <returns>False where the call has its response already.</returns>
    public bool TryRespond(LeaseReply<TReply> reply, LeaseState state, Instant now) =>
        TrySetResult(reply.ToResult(new ResponseContext(keeper, state, command.RequestId, Received, now)));
}

/// <summary>A place in the queue and, while its client is there, the call that waits.</summary>
internal sealed class Waiter(LeaseCommand.Acquire command)
{
    /// <summary>How long a place is kept for a client that is not there.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    public LeaseCommand.Acquire Command { get; } = command;

    public LeaseCall<LeaseGrant>? Call { get; private set; }

    /// <summary>Its span, as long as it has the place; null where its call is not traced.</summary>
    public Activity? Span { get; set; }

    /// <summary>Monotonic: when it was taken.</summary>
    public required TimeSpan Since { get; init; }

    /// <summary>When the place changes by itself: the call's wait runs out, or the place is lost.</summary>
    public TimeSpan Until { get; private set; }

    public CancellationTokenRegistration Registration { get; set; }

    public LeaseWaiter Show(Instant now) => new()
    {
        Owner = Command.Request.Owner,
        Mode = Command.Request.Mode,
        Waited = Holder.Max(now.Monotonic - Since, TimeSpan.Zero),
    };

    public void Attend(LeaseCall<LeaseGrant> call, TimeSpan wait)
    {
        Call = call;
        Until = call.Received.Monotonic + wait;
    }

    public void Leave(TimeSpan now)
    {
        Call = null;
        Until = now + KeptFor;
    }
}
