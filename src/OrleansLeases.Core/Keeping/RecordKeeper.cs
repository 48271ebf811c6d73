using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>The loop of every keeper: load, apply, save by compare-and-swap, respond.</summary>
/// <remarks>
/// It works on a candidate state and swaps it in only after the save. A save with an unknown outcome makes it forget
/// what it knew, and the next call loads afresh. Two keepers of one record may be alive at once: the compare-and-swap
/// keeps them apart.
/// </remarks>
/// <typeparam name="TState">The record.</typeparam>
internal abstract class RecordKeeper<TState> : Keeper
    where TState : class, IRecord
{
    private readonly IRecordStore _store;
    private readonly RecordKind _kind;
    private protected TState? _state;

    // What the state was made from, so far as it is stored: what the next save compares with.
    private StoredRecord? _stored;

    private protected RecordKeeper(string name, KeeperHost host, IRecordStore store, RecordKind kind)
        : base(name, host)
    {
        ArgumentNullException.ThrowIfNull(store);
        (_store, _kind) = (store, kind);
    }

    private protected sealed override bool KnowsState => _state is not null;

    private protected sealed override void DropState() => (_state, _stored) = (null, null);

    /// <summary>Takes over a record that was loaded and that this keeper does not know yet.</summary>
    private protected abstract void Adopt(TState stored);

    /// <summary>Takes over a record that this keeper has made, and stored if it had to be.</summary>
    private protected virtual void Advance(TState next)
    {
        _state = next;
        NotifyWatchers(next);
    }

    internal async ValueTask ProcessAsync<TReply>(PendingCall<TState, TReply> call)
        where TReply : class
    {
        // The keeper has done nothing for the call yet, and its caller would not hear of a grant.
        if (call.Cancellation.IsCancellationRequested && call.TrySetCanceled(call.Cancellation)) return;
        var isFresh = IsCompared(call);
        var mustBeFresh = call.RequiresFreshRead;
        for (var conflicts = 0; ;)
        {
            if (_state is null || (mustBeFresh && !isFresh))
            {
                if (await LoadAsync() is { } notRead)
                {
                    call.Fail(notRead);
                    return;
                }

                isFresh = true;
            }

            var state = _state!;
            var now = _host.Clock.Read();
            var step = call.Apply(state, now);
            if (step.RequiresFreshRead && !isFresh && !_host.IsSingleWriter)
            {
                mustBeFresh = true;
                continue;
            }

            _retryAt = now.Monotonic + RetryAfter;
            switch (step.Durable ? await SaveAsync(step.Next, call.IsBackground) : SaveOutcome.Saved)
            {
                case SaveOutcome.Saved:
                    _retryAt = TimeSpan.Zero;
                    Advance(step.Next);
                    if (call.TryRespond(step.Next, step.Durable)) return;
                    // The save took longer than a lease lasts that the response rests on: what is true now is that it has
                    // ended, and the keeper stores that before it says so. What was changed by then stays, whatever becomes of that.
                    call.IsStored |= step.Durable;
                    conflicts = 0;
                    continue;
                case SaveOutcome.Conflict when conflicts == 0:
                    // A lost compare-and-swap was not written: look again, once.
                    DropState();
                    conflicts++;
                    continue;
                case SaveOutcome.Conflict:
                    DropState();
                    call.Fail(ChangedByOthers());
                    return;
                case SaveOutcome.NotSaved:
                    call.Fail(NotSaved());
                    return;
                default:
                    DropState();
                    call.RespondUnknown();
                    return;
            }
        }
    }

    /// <summary>
    /// Reads the stored record. Where this keeper knows that version already, it knows it better: deadlines are not stored.
    /// </summary>
    private async ValueTask<Refusal?> LoadAsync()
    {
        try
        {
            var stored = await ReadStoreAsync(_store, _kind);
            if (_state is null || stored.Version != _state.Version) Adopt((TState)stored.State);
            // Only now: a record that cannot be taken over leaves the keeper with the state it knew, and with the version of that.
            _stored = stored;
            return null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return NotRead(error);
        }
    }

    private async ValueTask<SaveOutcome> SaveAsync(TState next, bool background)
    {
        var record = new StoredRecord(_kind, Name, next);
        try
        {
            var outcome = await _store.SaveAsync(_stored!, record, background);
            if (outcome == SaveOutcome.Saved) _stored = record;
            return outcome;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return SaveOutcome.Unknown;
        }
    }
}
