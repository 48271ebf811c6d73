using System.Diagnostics;
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

    // What the state was made from, so far as it is stored, and the store's tag of it: what the next save compares with. As the store's
    // own object it would cost each lease some 40 bytes more.
    private TState? _stored;
    private string? _tag;

    // Whether it has asked the store anything yet. Before that nobody watches or waits here, and the name may well be a fresh one.
    private bool _hasAsked;

    private protected RecordKeeper(string name, KeeperHost host, IRecordStore store, RecordKind kind)
        : base(name, host)
    {
        ArgumentNullException.ThrowIfNull(store);
        (_store, _kind) = (store, kind);
    }

    private protected bool IsDurable => _store.IsDurable;

    private protected sealed override bool KnowsState => _state is not null;

    private protected sealed override void DropState() => (_state, _stored, _tag) = (null, null, null);

    /// <summary>Takes over a record that was loaded and that this keeper does not know yet.</summary>
    private protected abstract void Adopt(TState stored);

    /// <summary>The record of a name that has none.</summary>
    /// <param name="floor">What its first one is made above.</param>
    private protected abstract TState None(RecordFloor floor);

    /// <summary>Takes over that a name has no record, for a keeper that makes its first one unseen.</summary>
    private protected abstract void Begin();

    /// <summary>Whether a record may be dropped: it was idle for long enough, and nobody here waits for it or watches it.</summary>
    private protected abstract bool MayDrop(TState state, Instant now);

    /// <inheritdoc/>
    public override Task<LeaseResult<Dropped>>? SubmitDrop()
    {
        var call = new DropCall<TState>(this, _host.Clock.Read());
        return TryEnqueue(call, MaxCalls) ? call.Task : null;
    }

    internal Step<TState> ApplyDrop(TState state, Instant now) =>
        MayDrop(state, now) ? new(state, Durable: true, RequiresFreshRead: false, Drops: true) : new(state, false, false);

    /// <summary>Takes over a record that this keeper has made, and stored if it had to be.</summary>
    private protected virtual void Advance(TState next)
    {
        _state = next;
        NotifyWatchers(next);
    }

    internal async ValueTask ProcessAsync<TReply>(PendingCall<TState, TReply> call)
        where TReply : class
    {
        // The keeper has done nothing for the call yet, and its caller would not hear of a grant; nor if it was told so already.
        if (call.Cancellation.IsCancellationRequested)
        {
            call.TrySetCanceled(call.Cancellation);
            return;
        }

        var isFresh = IsCompared(call);
        var mustBeFresh = call.RequiresFreshRead;
        var isFirst = !_hasAsked;
        _hasAsked = true;
        if (isFirst && !mustBeFresh && _store.CanAddOrLoad)
        {
            if (await TryAddAsync(call)) return;
            isFresh = _state is not null;
        }

        for (var conflicts = 0; ;)
        {
            if (_state is null || (mustBeFresh && !isFresh))
            {
                if (!await LoadForAsync(call)) return;
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
            switch (await StoreAsync(step, call))
            {
                case SaveOutcome.Saved:
                    _retryAt = TimeSpan.Zero;
                    if (step.Drops) AdvanceToNone();
                    else Advance(step.Next);
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
    /// Does what the call asks for as if the name were a fresh one, where that stores a record: there a load would find nothing, and
    /// costs as much as the save. Decision first-write-asks-no-read.
    /// </summary>
    /// <returns>Whether the call has its response. Where not, the record that is there has been taken over, or is to be loaded.</returns>
    private async ValueTask<bool> TryAddAsync<TReply>(PendingCall<TState, TReply> call)
        where TReply : class
    {
        Begin();
        var none = None(_store.FloorOf(_kind, Name));
        var step = call.Apply(none, _host.Clock.Read());
        // What a refusal says must be true of what is stored.
        if (!step.Durable || step.RequiresFreshRead) return false;
        var record = new StoredRecord(_kind, Name, step.Next);
        var (outcome, found) = await AddOrLoadAsync(record, call.IsBackground, call.Span);
        switch (outcome)
        {
            case SaveOutcome.Saved:
                Note(record);
                // Watches of a prefix are shown what has changed since.
                NotifyWatchers(none);
                Advance(step.Next);
                if (call.TryRespond(step.Next, durable: true)) return true;
                call.IsStored = true;
                return false;
            case SaveOutcome.Conflict:
                if (found is null || TakeOver(found) is not { } notRead) return false;
                call.Fail(notRead);
                return true;
            case SaveOutcome.NotSaved:
                call.Fail(NotSaved());
                return true;
            default:
                // It may be stored, and the load that finds it cannot tell that nobody was shown it.
                RestartWatches();
                call.RespondUnknown();
                return true;
        }
    }

    /// <summary>Reads the stored record for a call, and fails the call where that comes to nothing.</summary>
    private async ValueTask<bool> LoadForAsync<TReply>(PendingCall<TState, TReply> call)
        where TReply : class
    {
        if (await LoadAsync(call.Span) is not { } notRead) return true;
        call.Fail(notRead);
        return false;
    }

    /// <summary>
    /// Reads the stored record. Where this keeper knows that version already, it knows it better: deadlines are not stored.
    /// </summary>
    private async ValueTask<Refusal?> LoadAsync(Activity? span)
    {
        var use = StoreSpan.Start(_host.Metrics, span, StoreMetrics.Load);
        var isLoaded = false;
        try
        {
            var stored = await AskStoreAsync(static ask => ask._store.LoadAsync(ask._kind, ask.Name), (_store, _kind, Name));
            isLoaded = true;
            return TakeOver(stored);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return NotRead(error);
        }
        finally
        {
            use.Loaded(failed: !isLoaded);
        }
    }

    private Refusal? TakeOver(StoredRecord stored)
    {
        try
        {
            // Where there is none, what it would be made above may have risen: its own record may have been dropped meanwhile.
            var found = stored.Version > 0 ? (TState)stored.State : None(_store.FloorOf(_kind, Name));
            if (_state is null || found.Version != _state.Version || (found.Version == 0 && found.Floor != _state.Floor))
            {
                Adopt(found);
                // Another keeper may have dropped what is watched here, with events that nobody here was shown. What is known here of the
                // floor may lag, so that its number says nothing.
                if (found.Version == 0) RestartOwnWatches();
            }
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return NotRead(error);
        }

        // Only now: a record that cannot be taken over leaves the keeper with the state it knew, and with what that was made from.
        Note(stored);
        return null;
    }

    private void Note(StoredRecord record) => (_stored, _tag) = ((TState)record.State, record.Tag);

    private async ValueTask<AddOrLoad> AddOrLoadAsync(StoredRecord record, bool background, Activity? span)
    {
        var use = StoreSpan.Start(_host.Metrics, span, StoreMetrics.Add);
        var done = new AddOrLoad(SaveOutcome.Unknown);
        try
        {
            return done = await AskStoreAsync(
                static ask => ask._store.AddOrLoadAsync(ask.record, ask.background), (_store, record, background));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return done;
        }
        finally
        {
            use.AddedOrLoaded(done.Outcome);
        }
    }

    private ValueTask<SaveOutcome> StoreAsync<TReply>(Step<TState> step, PendingCall<TState, TReply> call)
        where TReply : class =>
        !step.Durable ? new(SaveOutcome.Saved)
        : step.Drops ? DropAsync(call.Span)
        : SaveAsync(step.Next, call.IsBackground, call.Span);

    // Nothing has happened that anybody is shown: those who watch a prefix see the next change of the name as they would have.
    private void AdvanceToNone()
    {
        var none = None(_store.FloorOf(_kind, Name));
        _state = none;
        ForgetEvents(none);
    }

    private async ValueTask<SaveOutcome> DropAsync(Activity? span)
    {
        var use = StoreSpan.Start(_host.Metrics, span, StoreMetrics.Drop);
        var outcome = SaveOutcome.Unknown;
        try
        {
            outcome = await _store.DropAsync(new StoredRecord(_kind, Name, _stored!) { Tag = _tag });
            if (outcome == SaveOutcome.Saved) Note(StoredRecord.None(_kind, Name));
            return outcome;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return outcome;
        }
        finally
        {
            use.Dropped(outcome);
        }
    }

    private async ValueTask<SaveOutcome> SaveAsync(TState next, bool background, Activity? span)
    {
        var record = new StoredRecord(_kind, Name, next);
        var use = StoreSpan.Start(_host.Metrics, span, StoreMetrics.Save);
        var outcome = SaveOutcome.Unknown;
        try
        {
            outcome = await _store.SaveAsync(new StoredRecord(_kind, Name, _stored!) { Tag = _tag }, record, background);
            if (outcome == SaveOutcome.Saved) Note(record);
            return outcome;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return outcome;
        }
        finally
        {
            use.Saved(outcome);
        }
    }
}
