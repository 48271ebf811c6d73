using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Grains;
using OrleansLeases.Storage;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>
/// A store that fails as a test tells it to. On PostgreSQL it is Orleans' provider that fails, so that what becomes of its exceptions
/// is seen as well.
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

        const string Name = PostgresRecordStore.ProviderName;
        var provider = silo.Services.SingleOrDefault(
            service => service.ServiceType == typeof(IGrainStorage) && Name.Equals(service.ServiceKey));
        if (provider is null) return;
        silo.Services.Remove(provider);
        silo.Services.AddKeyedSingleton<IGrainStorage>(
            Name, (services, key) => new Provider((IGrainStorage)provider.KeyedImplementationFactory!(services, key), faults));
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

        public static Task Through(Queue<Func<Func<Task>, Task>> faults, Func<Task> operation)
        {
            Func<Func<Task>, Task>? fault;
            lock (faults) faults.TryDequeue(out fault);
            return fault is null ? operation() : fault(operation);
        }
    }

    private sealed class Provider(IGrainStorage inner, Faults faults) : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
    {
        public void Participate(ISiloLifecycle observer) => (inner as ILifecycleParticipant<ISiloLifecycle>)?.Participate(observer);

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            Faults.Through(faults.Reads, () => inner.ReadStateAsync(stateName, grainId, grainState));

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => Faults.Through(
            stateName == "key" ? faults.KeyWrites : faults.Writes, () => inner.WriteStateAsync(stateName, grainId, grainState));

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
            inner.ClearStateAsync(stateName, grainId, grainState);
    }
}
