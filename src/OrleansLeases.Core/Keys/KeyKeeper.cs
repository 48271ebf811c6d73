namespace OrleansLeases.Core;

/// <summary>
/// Owns one key in one host: load, apply, save by compare-and-swap, reply. It knows no lease: where an answer depends on
/// one, its reply says what to find out (see <see cref="KeyCalls"/>), and its turn is over meanwhile.
/// </summary>
/// <remarks>
/// Every change is stored, so two keepers of one key may be alive at once: the compare-and-swap keeps them apart. A
/// save with an unknown outcome makes it forget what it knew, and the next turn loads afresh.
/// </remarks>
public sealed class KeyKeeper : Keeper
{
    private readonly IKeyStore _store;
    private KeyState? _state;

    /// <summary>Makes a keeper that knows nothing yet; its first turn loads.</summary>
    /// <param name="key">The key.</param>
    /// <param name="host">What its host lends it.</param>
    /// <param name="store">Where keys are kept.</param>
    public KeyKeeper(string key, KeeperHost host, IKeyStore store)
        : base(key, host)
    {
        ArgumentNullException.ThrowIfNull(store);
        _store = store;
    }

    /// <summary>Takes a call in. The request has been checked and has its request id.</summary>
    /// <param name="command">What is asked.</param>
    /// <returns>The <see cref="KeyReply"/> or the <see cref="Refusal"/>; null where the keeper has retired and another must be made.</returns>
    public Task<object>? Submit(KeyCommand command) => Enter(new KeyTurn(command, _host.Clock.Read()), MaxTurns);

    /// <summary>Starts a watch of the key, which ends where this keeper does; to be passed to <see cref="KeyCalls.WatchAsync"/>.</summary>
    /// <param name="since">The last change known; null to start with the state.</param>
    /// <returns>What to pass on, or a <see cref="Refusal"/>; null where the keeper has retired and another must be made.</returns>
    public Task<object>? Watch(WatchPoint? since) => Enter(
        new KeyTurn(new KeyCommand.Get(), _host.Clock.Read())
        {
            View = (keeper, state) => new KeyWatch(keeper.PutUp(state), keeper.Name, state, since, keeper._host.Rules.TokenFloor),
        },
        MaxTurns);

    /// <inheritdoc/>
    public override Task Wake()
    {
        var now = _host.Clock.Read();
        lock (_gate)
        {
            if (!MustLook_NeedsLock(now))
            {
                // Time changes nothing about a key. Somebody has asked since the alarm was set: the next one is later.
                SetAlarm_NeedsLock();
                return Task.CompletedTask;
            }
        }

        return Enter(new KeyTurn(new KeyCommand.Get(), now) { View = static (_, state) => state }) ?? Task.CompletedTask;
    }

    private protected override void DropState() => _state = null;

    private protected override bool KnowsState => _state is not null;

    private protected override async ValueTask TakeAsync(Turn queued)
    {
        var turn = (KeyTurn)queued;
        var isFresh = IsCompared(turn);
        for (var attempt = 0; ;)
        {
            if (_state is null || (turn.View is not null && !isFresh && !_host.Alone))
            {
                if (await LoadAsync() is { } notRead)
                {
                    turn.TrySetResult(notRead);
                    return;
                }

                isFresh = true;
            }

            var state = _state!;
            if (turn.View is { } view)
            {
                turn.TrySetResult(view(this, state));
                return;
            }

            var (next, reply) = KeyMachine.Apply(Name, state, turn.Command, _host.Clock.Read());
            if (reply is KeyReply.Refused or KeyReply.Deleted { Existed: false } && !isFresh && !_host.Alone)
            {
                // Nothing is stored that would show what another activation has written since.
                _state = null;
                continue;
            }

            if (reply is KeyReply.Refused { Refusal: var refusal })
            {
                turn.TrySetResult(refusal);
                return;
            }

            switch (next == state ? SaveOutcome.Saved : await SaveAsync(state, next, turn.Command is KeyCommand.Clean))
            {
                case SaveOutcome.Saved:
                    _state = next;
                    Tell(_state);
                    turn.TrySetResult(reply);
                    return;
                case SaveOutcome.Conflict when attempt == 0:
                    // A lost compare-and-swap was not written: look again, once.
                    _state = null;
                    attempt++;
                    continue;
                case SaveOutcome.Conflict:
                    _state = null;
                    turn.TrySetResult(ChangedByOthers());
                    return;
                case SaveOutcome.NotSaved:
                    turn.TrySetResult(NotSaved());
                    return;
                default:
                    _state = null;
                    turn.TrySetResult(UnknownOutcome(turn.RequestId));
                    return;
            }
        }
    }

    private async ValueTask<Refusal?> LoadAsync()
    {
        try
        {
            _state = await ReadStoreAsync(_store.LoadKeyAsync);
            // The lease may have ended since somebody stored it, and its end been told.
            Tell(_state, mayBePast: _state.Binding is not null);
            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return NotRead(error);
        }
    }

    private async ValueTask<SaveOutcome> SaveAsync(KeyState state, KeyState next, bool background)
    {
        try
        {
            return await _store.SaveKeyAsync(Name, state, next, background);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return SaveOutcome.Unknown;
        }
    }
}

/// <summary>One call about a key.</summary>
internal sealed class KeyTurn(KeyCommand command, Now received) : Turn(received)
{
    public KeyCommand Command { get; } = command;

    /// <summary>For a watch, how to answer from the record.</summary>
    public Func<KeyKeeper, KeyState, object>? View { get; init; }

    public override bool IsUse => Command is not KeyCommand.Clean;

    public string? RequestId => Command switch
    {
        KeyCommand.Put put => put.Request.RequestId,
        KeyCommand.Add add => add.Request.RequestId,
        _ => null,
    };
}
