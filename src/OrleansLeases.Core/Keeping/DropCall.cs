namespace OrleansLeases.Core;

/// <summary>A sweep found the record idle: it is dropped, unless somebody has come meanwhile.</summary>
internal sealed class DropCall<TState>(RecordKeeper<TState> keeper, Instant received) : PendingCall<TState, Dropped>(received)
    where TState : class, IRecord
{
    private bool _drops;

    public override bool IsUse => false;

    public override bool IsBackground => true;

    // What another keeper has stored since counts, whatever this one remembers.
    public override bool RequiresFreshRead => !keeper.IsSingleWriter;

    public override Refusal UnknownOutcome => Keeper.UnknownOutcome(requestId: null);

    public override Step<TState> Apply(TState state, Instant now)
    {
        var step = keeper.ApplyDrop(state, now);
        _drops = step.Drops;
        return step;
    }

    public override bool TryRespond(TState state, bool durable) => TrySetResult(new Dropped(_drops));

    public override ValueTask ProcessAsync() => keeper.ProcessAsync(this);
}

/// <summary>What became of a record that a sweep found idle.</summary>
/// <param name="Done">Whether it is gone.</param>
internal sealed record Dropped(bool Done);
