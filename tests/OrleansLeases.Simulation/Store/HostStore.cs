using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Core;
using OrleansLeases.Grains;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Store;

/// <summary>
/// The store as one host reaches it. A call happens at one moment between its start and its answer; the answer may be late, wrong in
/// no way, or lost. What was sent before the host crashed may land afterwards.
/// </summary>
/// <remarks>
/// The only host of a store is the only writer: a save takes the time that it takes, and of a crashed run nothing lands any more, as with
/// a file that one process has open.
/// </remarks>
internal sealed partial class HostStore(
    SimStore store, SimProcess process, Scheduler scheduler, Planted planted, bool addsOrLoads, bool isOnlyWriter)
    : IRecordStore, IWatchedDatabase
{
    // As BoundedStore has it: after this long, nobody knows.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LatestStray = TimeSpan.FromSeconds(20);

    private readonly int _epoch = store.Epoch;
    private LeaseClock? _clock;
    private DatabaseWatch? _watch;
    private bool _isOpen;

    public bool IsDurable => true;

    public int Epoch => _epoch;

    public bool CanAddOrLoad => addsOrLoads;

    public StorageTrouble? Trouble => planted.HasFlag(Planted.ClocksUncompared) || _watch is null ? null
        : _isOpen ? _watch.Trouble
        : new(StorageTroubleKind.Unfit, "The host is starting.");

    /// <summary>Compares the clock of a host in a cluster with the database's from now on.</summary>
    /// <returns>Whether it may use the store.</returns>
    public async Task<bool> OpenAsync(LeaseClock clock, TimeSpan clockSkew)
    {
        _clock = clock;
        _watch = new DatabaseWatch(this, clockSkew, process.Clock, clock, NullLogger.Instance);
        try
        {
            await _watch.StartAsync(CancellationToken.None).ConfigureAwait(false);
            _isOpen = true;
        }
        catch (Exception refused) when (refused is InvalidOperationException or TimeoutException)
        {
            // Its clock is off, or the store does not answer.
        }

        return _isOpen || planted.HasFlag(Planted.ClocksUncompared);
    }

    public Task<int> CheckAsync(CancellationToken cancellationToken) => AskAsync(_ => store.Epoch, isWrite: false);

    public async Task<DatabaseLook> LookAsync(CancellationToken cancellationToken)
    {
        var look = await AskAsync(_ => new DatabaseLook(store.Clock, store.Epoch, IsReadOnly: false), isWrite: false).ConfigureAwait(false);
        if (planted.HasFlag(Planted.WrongClocksCount)) _clock!.Calibrate(_clock.ReadRaw());
        return look;
    }

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
    {
        if (_watch is not null) store.CheckClock(process, name);
        return new(AskAsync(_ => Decoded(store.Read(kind, name)), isWrite: false));
    }

    public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        next = Kept(next);
        if (planted.HasFlag(Planted.HostAnswersBeforeItsSave))
        {
            _ = SaveInTimeAsync(previous, next);
            return ValueTask.FromResult(SaveOutcome.Saved);
        }

        return new(SaveInTimeAsync(previous, next));
    }

    public async ValueTask<AddOrLoad> AddOrLoadAsync(StoredRecord first, bool background)
    {
        first = Kept(first);
        var made = scheduler.Now;
        var done = await AskAsync(
            isStray => store.TryWrite(StoredRecord.None(first.Kind, first.Name), first, _epoch, made, isStray)
                ? new AddOrLoad(SaveOutcome.Saved)
                : new AddOrLoad(SaveOutcome.Conflict, Found(store.Read(first.Kind, first.Name))),
            isWrite: true,
            new AddOrLoad(SaveOutcome.NotSaved)).ConfigureAwait(false);
        if (done is { Outcome: SaveOutcome.Conflict, Found: null }) await LearnFloorAsync(first.Kind, first.Name).ConfigureAwait(false);
        return done;

        StoredRecord? Found(StoredRecord stored) => stored.Version == 0 ? null : Decoded(stored);
    }

    public async IAsyncEnumerable<StoredRecord> RangeAsync(
        RecordKind kind, string from, bool heldOnly, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        StoredRecord[] Read() =>
            [.. store.Rows.Where(row => row.Kind == kind && string.CompareOrdinal(row.Name, from) >= 0 && (row.IsHeld || !heldOnly))];
        foreach (var row in await AskAsync(_ => Read(), isWrite: false)) yield return row;
    }

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        new(AskAsync<IReadOnlyList<DueRecord>>(_ => store.Due(query), isWrite: false));

    private async Task<SaveOutcome> SaveInTimeAsync(StoredRecord previous, StoredRecord next)
    {
        var made = scheduler.Now;
        var outcome = await AskAsync(
            isStray => store.TryWrite(previous, next, _epoch, made, isStray) ? SaveOutcome.Saved : SaveOutcome.Conflict,
            isWrite: true,
            SaveOutcome.NotSaved).ConfigureAwait(false);
        if (outcome == SaveOutcome.Conflict && previous.Version == 0) await LearnFloorAsync(next.Kind, next.Name).ConfigureAwait(false);
        return outcome;
    }

    private StoredRecord Kept(StoredRecord next)
    {
        store.Truth.Holds.Saves(next);
        return next.Kind switch
        {
            RecordKind.Lease when planted.HasFlag(Planted.HoldsForgotten) && next.Lease.Hold is not null =>
                new(next.Kind, next.Name, next.Lease with { Hold = null }),
            RecordKind.Key when planted.HasFlag(Planted.TimesForgotten) && next.Key.Expiry is not null =>
                new(next.Kind, next.Name, next.Key with { Expiry = null }),
            _ => next,
        };
    }

    // Another run of a host knows only what the bytes say.
    private StoredRecord Decoded(StoredRecord record) => record.Version == 0 ? record
        : planted.HasFlag(Planted.ForgetsHorizons) && record.Kind == RecordKind.Lease
            ? new(record.Kind, record.Name, record.Lease with { Holders = [.. record.Lease.Holders.Select(Passed)] })
        : StoredRecord.Read(record.Kind, record.Name, record.Encode())
            .WithBlocks(record.FinishedSince(StoredRecord.None(record.Kind, record.Name)).Select(block => block.Entries));

    private static Holder Passed(Holder holder) => holder with { Horizon = TimeSpan.Zero, HorizonLength = TimeSpan.Zero };

    private Task<T> AskAsync<T>(Func<bool, T> act, bool isWrite, T? refused = default)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var dice = scheduler.Dice;
        var (there, back) = (Latency(dice), Latency(dice));
        if (isWrite && Has(Faults.RefusedWrites) && dice.PerMille(30))
        {
            Answer(there + back, () => answer.TrySetResult(refused!));
            return answer.Task;
        }

        var loses = Has(Faults.LostStoreAnswers) && dice.PerMille(30);
        var strays = isWrite && !isOnlyWriter && Has(Faults.StrayWrites) && dice.PerMille(20);
        if (strays) there = dice.Between(TimeSpan.Zero, LatestStray);
        scheduler.After(there, () =>
        {
            if (isOnlyWriter && process.HasCrashed) return;
            if (store.IsDown)
            {
                Fail(TimeSpan.Zero);
                return;
            }

            if (process.IsCutFromStore) return;
            // What one stores whom the others take for dead, none of their watches shows.
            var result = act(process.HasCrashed || process.IsTakenForDead || answer.Task.IsCompleted);
            if (!loses) Answer(back, () => answer.TrySetResult(result));
            else if (isOnlyWriter) Fail(back);
        });
        // A store that restarts fails the calls under way, whether they were done or not.
        if (!isOnlyWriter) Fail(strays ? dice.Between(TimeSpan.Zero, Limit) : Limit);
        return answer.Task;

        void Fail(TimeSpan delay) => Answer(delay, () => answer.TrySetException(new TimeoutException("The store did not answer.")));
    }

    private void Answer(TimeSpan delay, Action answer) => scheduler.After(delay, () => process.Run(answer));

    private TimeSpan Latency(Dice dice) => Has(Faults.SlowStore) && dice.PerMille(50)
        ? dice.Skewed(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(8))
        : dice.Between(TimeSpan.FromMicroseconds(50), TimeSpan.FromMilliseconds(2));

    private bool Has(Faults fault) => store.Faults.HasFlag(fault);
}
