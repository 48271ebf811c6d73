using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>
/// Owns one key in one host. It knows no lease: where a reply depends on one, it says what to find out (see
/// <see cref="KeyOperations"/>), and the keeper goes on to its next call meanwhile.
/// </summary>
internal sealed class KeyKeeper : RecordKeeper<KeyState>
{
    /// <summary>Makes a keeper that knows nothing yet; its first call loads.</summary>
    /// <param name="key">The key.</param>
    /// <param name="host">What its host lends it.</param>
    /// <param name="store">Where the records are kept.</param>
    public KeyKeeper(string key, KeeperHost host, IRecordStore store)
        : base(key, host, store, RecordKind.Key)
    {
    }

    /// <summary>Takes a call in. The request has been checked and has its request id.</summary>
    /// <typeparam name="TReply">The reply of the command.</typeparam>
    /// <param name="command">The command.</param>
    /// <returns>The reply; null where the keeper has retired and another must be made.</returns>
    public Task<LeaseResult<KeyReply<TReply>>>? Submit<TReply>(KeyCommand<TReply> command)
        where TReply : KeyReply<TReply>
    {
        var call = new KeyCall<TReply>(this, command, _host.Clock.Read());
        if (LeaseTracing.IsOn) call.Trace("leases.keeper", _host);
        return TryEnqueue(call, MaxCalls) ? call.Task : null;
    }

    /// <inheritdoc/>
    public override Task Wake()
    {
        var now = _host.Clock.Read();
        KeyCommand<KeyReply.Unchanged> command;
        lock (_gate)
        {
            // A sweeper wakes keepers that know nothing yet.
            if (_state is null || _state.IsOver(now))
            {
                command = KeyCommand.Tick.Instance;
            }
            else if (MustRecheck_NeedsLock(now))
            {
                command = KeyCommand.Recheck.Instance;
            }
            else
            {
                // A call since the alarm was set has put the next recheck later.
                SetAlarm_NeedsLock();
                return Task.CompletedTask;
            }
        }

        var call = new KeyCall<KeyReply.Unchanged>(this, command, now);
        return TryEnqueue(call) ? call.Task : Task.CompletedTask;
    }

    // No sweeper looks at a store without a disk: what is forgotten there stays for ever.
    private protected override bool IsNeeded => !IsDurable && _state is { Expiry: not null };

    // After the store refused, ask again, but not at once.
    private protected override TimeSpan? WakeAt_NeedsLock =>
        !_busy && _state?.Expiry is { } expiry ? Holder.Max(expiry.Ends, _retryAt) : null;

    private protected override void Adopt(KeyState stored)
    {
        _state = stored.Resume(_host.Clock.Read(), _host.Rules);
        // The lease may have ended since the key was stored, and callers may have heard of that.
        NotifyWatchers(stored, mayBePast: stored.Binding is not null);
    }

    private protected override KeyState None(RecordFloor floor) => KeyState.Above(floor);

    private protected override void Begin()
    {
    }

    private protected override bool MayDrop(KeyState state, Instant now) =>
        _host.Rules.IdleBeforeDrop(Name) is { } idle && state.IsIdle(now, idle) && !IsWatched;

    internal KeyTransition<TReply> Apply<TReply>(KeyState state, KeyCommand<TReply> command, Instant now)
        where TReply : KeyReply<TReply> => KeyMachine.Apply(Name, state, command, now, _host.Rules);

    internal KeyWatch WatchFrom(WatchPoint? since, KeyState state) =>
        new(GetBroadcaster(state), Name, state, since, _host.Rules.TokenFloor);
}

/// <summary>One call about a key.</summary>
internal sealed class KeyCall<TReply>(KeyKeeper keeper, KeyCommand<TReply> command, Instant received)
    : PendingCall<KeyState, KeyReply<TReply>>(received)
    where TReply : KeyReply<TReply>
{
    private KeyReply<TReply>? _reply;

    public override bool IsUse => command.IsUse;

    public override bool IsBackground => !command.IsUse;

    public override bool RequiresFreshRead => command.RequiresFreshRead && !keeper.IsSingleWriter;

    public override Refusal UnknownOutcome => Keeper.UnknownOutcome(command.RequestId);

    public override ValueTask ProcessAsync() => keeper.ProcessAsync(this);

    public override Step<KeyState> Apply(KeyState state, Instant now)
    {
        (var next, _reply) = keeper.Apply(state, command, now);
        return new(next, Durable: !ReferenceEquals(next, state), _reply.RestsOnAbsence);
    }

    public override bool TryRespond(KeyState state, bool durable) => TrySetResult(_reply!.ToResponse(keeper, state).ToResult());
}
