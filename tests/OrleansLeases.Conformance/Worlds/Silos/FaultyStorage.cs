using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using OrleansLeases.Grains;
using OrleansLeases.Storage;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>
/// A store that fails as a test tells it to. On PostgreSQL it is what reads and writes its rows that fails, so that what becomes of
/// the exceptions is seen as well; a write that does nothing is one that lost its compare-and-swap there.
/// </summary>
internal sealed class FaultyStorage(IRecordStore inner, FaultyStorage.Faults faults) : IRecordStore
{
    /// <summary>The store behind.</summary>
    public IRecordStore Inner { get; set; } = inner;

    /// <summary>What happens instead of the next writes of leases, first one first; the write itself is the argument.</summary>
    public Queue<Func<Func<Task>, Task>> Writes => faults.Writes;

    /// <summary>What happens instead of the next writes of keys.</summary>
    public Queue<Func<Func<Task>, Task>> KeyWrites => faults.KeyWrites;

    /// <summary>What happens instead of the next reads, of leases and keys.</summary>
    public Queue<Func<Func<Task>, Task>> Reads => faults.Reads;

    /// <summary>How many rows of PostgreSQL were read by themselves.</summary>
    public int RowLoads => Volatile.Read(ref faults.RowLoads);

    public bool IsDurable => Inner.IsDurable;

    public int Epoch => Inner.Epoch;

    /// <summary>What is wrong with it, as the test says.</summary>
    public StorageTrouble? Trouble { get; set; }

    StorageTrouble? IRecordStore.Trouble => Failure is { } failure ? throw failure : Trouble;

    /// <summary>What a listing, and a look at the trouble, throw from now on.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Puts a faulty store in front of the one that a silo has.</summary>
    public static void Install(ISiloBuilder silo) => Install(silo, TimeProvider.System);

    /// <summary>Puts a faulty store in front of the one that a silo has, which gives it up by another clock.</summary>
    public static void Install(ISiloBuilder silo, TimeProvider time)
    {
        var faults = new Faults();
        var store = silo.Services.Single(service => service.ServiceType == typeof(LeaseStorage));
        silo.Services.Remove(store);
        silo.Services.AddSingleton(services => new LeaseStorage(
            new FaultyStorage(((LeaseStorage)store.ImplementationFactory!(services)).Store, faults)) { Time = time });

        var rows = silo.Services.SingleOrDefault(service => service.ServiceType == typeof(IRecordRows));
        if (rows is null) return;
        silo.Services.Remove(rows);
        silo.Services.AddSingleton<IRecordRows>(services => new Rows((IRecordRows)rows.ImplementationFactory!(services), faults));
    }

    public static FaultyStorage Of(IServiceProvider silo) => (FaultyStorage)silo.GetRequiredService<LeaseStorage>().Store;

    public Task StartAsync(CancellationToken cancellationToken) => Inner.StartAsync(cancellationToken);

    public async ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
    {
        StoredRecord? record = null;
        async Task LoadAsync() => record = await Inner.LoadAsync(kind, name);
        await (Inner is MemoryRecordStore ? Faults.Through(Reads, LoadAsync) : LoadAsync());
        return record!;
    }

    public async ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        var outcome = SaveOutcome.Unknown;
        async Task SaveAsync() => outcome = await Inner.SaveAsync(previous, next, background);
        await (Inner is MemoryRecordStore ? Faults.Through(next.Kind == RecordKind.Key ? KeyWrites : Writes, SaveAsync) : SaveAsync());
        return outcome;
    }

    public bool CanAddOrLoad => Inner.CanAddOrLoad;

    public ValueTask<AddOrLoad> AddOrLoadAsync(StoredRecord first, bool background) => Inner.AddOrLoadAsync(first, background);

    public bool CanDrop => Inner.CanDrop;

    public RecordFloor FloorOf(RecordKind kind, string name) => Inner.FloorOf(kind, name);

    public ValueTask<SaveOutcome> DropAsync(StoredRecord record) => Inner.DropAsync(record);

    public ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken) =>
        Inner.IdleAsync(kind, query, cancellationToken);

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        Failure is { } failure ? throw failure : Inner.RangeAsync(kind, from, heldOnly, cancellationToken);

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        Inner.DueAsync(query, cancellationToken);

    /// <summary>What goes wrong next.</summary>
    internal sealed class Faults
    {
        public Queue<Func<Func<Task>, Task>> Writes { get; } = new();

        public Queue<Func<Func<Task>, Task>> KeyWrites { get; } = new();

        public Queue<Func<Func<Task>, Task>> Reads { get; } = new();

        public int RowLoads;

        public static Task Through(Queue<Func<Func<Task>, Task>> faults, Func<Task> operation)
        {
            Func<Func<Task>, Task>? fault;
            lock (faults) faults.TryDequeue(out fault);
            return fault is null ? operation() : fault(operation);
        }
    }

    private sealed class Rows(IRecordRows inner, Faults faults) : IRecordRows, IAsyncDisposable
    {
        public ValueTask DisposeAsync() => inner is IAsyncDisposable disposable ? disposable.DisposeAsync() : default;

        // What a test has planned for reads happens to reads.
        public bool CanAddOrLoad
        {
            get
            {
                lock (faults.Reads) return inner.CanAddOrLoad && faults.Reads.Count == 0;
            }
        }

        public async Task<LoadedRecord?> LoadAsync(RecordKind kind, string name)
        {
            LoadedRecord? record = null;
            Interlocked.Increment(ref faults.RowLoads);
            await Faults.Through(faults.Reads, async () => record = await inner.LoadAsync(kind, name));
            return record;
        }

        public async Task<bool> SaveAsync(int epoch, StoredRecord previous, StoredRecord next, bool background)
        {
            var saved = false;
            await Faults.Through(WritesOf(next), async () => saved = await inner.SaveAsync(epoch, previous, next, background));
            return saved;
        }

        public async Task<(bool Saved, StoredRecord? Found)> AddOrLoadAsync(int epoch, StoredRecord first, bool background)
        {
            (bool Saved, StoredRecord? Found) outcome = default;
            await Faults.Through(WritesOf(first), async () => outcome = await inner.AddOrLoadAsync(epoch, first, background));
            return outcome;
        }

        private Queue<Func<Func<Task>, Task>> WritesOf(StoredRecord record) =>
            record.Kind == RecordKind.Key ? faults.KeyWrites : faults.Writes;
    }
}
