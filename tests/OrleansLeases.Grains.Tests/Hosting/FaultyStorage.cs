using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains.Tests.Hosting;

/// <summary>A storage that fails as a test tells it to.</summary>
internal sealed class FaultyStorage(ILeaseStorage inner) : ILeaseStorage, IGrainStorage, IAsyncDisposable
{
    /// <summary>The storage behind.</summary>
    public ILeaseStorage Inner { get; set; } = inner;

    /// <summary>What happens instead of the next writes of leases, first one first; the write itself is the argument.</summary>
    public Queue<Func<Func<Task>, Task>> Writes { get; } = new();

    /// <summary>What happens instead of the next writes of keys.</summary>
    public Queue<Func<Func<Task>, Task>> KeyWrites { get; } = new();

    /// <summary>What happens instead of the next reads, of leases and keys.</summary>
    public Queue<Func<Func<Task>, Task>> Reads { get; } = new();

    public Func<Exception, bool> Surely { get; set; } = _ => false;

    public bool Durable => Inner.Durable;

    public int? Epoch { get; set; }

    int ILeaseStorage.Epoch => Epoch ?? Inner.Epoch;

    public string? Trouble { get; set; }

    string? ILeaseStorage.Trouble => Failure is { } failure ? throw failure : Trouble;

    /// <summary>What a listing, and a look at the trouble, throw from now on.</summary>
    public Exception? Failure { get; set; }

    public string? Away { get; set; }

    public string? Blind { get; set; }

    public IGrainStorage Grains => this;

    /// <summary>Puts a faulty storage in front of the one that a silo has.</summary>
    public static void Install(ISiloBuilder silo)
    {
        var service = silo.Services.Single(service => service.ServiceType == typeof(ILeaseStorage));
        silo.Services.Remove(service);
        silo.Services.AddSingleton<ILeaseStorage>(services => new FaultyStorage((ILeaseStorage)(
            service.ImplementationFactory?.Invoke(services) ?? ActivatorUtilities.CreateInstance(services, service.ImplementationType!))));
    }

    public static FaultyStorage Of(IServiceProvider silo) => (FaultyStorage)silo.GetRequiredService<ILeaseStorage>();

    public Task StartAsync(CancellationToken cancellationToken) => Inner.StartAsync(cancellationToken);

    public bool SurelyNotWritten(Exception error) => Surely(error) || Inner.SurelyNotWritten(error);

    public IAsyncEnumerable<(string Resource, LeaseState State)> ReadFromAsync(string from, LeaseFilter state, CancellationToken cancellationToken) =>
        Failure is { } failure ? throw failure : Inner.ReadFromAsync(from, state, cancellationToken);

    public IAsyncEnumerable<(string Key, KeyState State)> ReadKeysFromAsync(string from, CancellationToken cancellationToken) =>
        Failure is { } failure ? throw failure : Inner.ReadKeysFromAsync(from, cancellationToken);

    public Task<IReadOnlyList<DueRecord>> DueAfterAsync(int shard, int shards, DueRecord? last, TimeSpan until, int limit) =>
        Inner.DueAfterAsync(shard, shards, last, until, limit);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Through(Reads, () => Inner.Grains.ReadStateAsync(stateName, grainId, grainState));

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Through(stateName == KeyRecord.StateName ? KeyWrites : Writes, () => Inner.Grains.WriteStateAsync(stateName, grainId, grainState));

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Inner.Grains.ClearStateAsync(stateName, grainId, grainState);

    public ValueTask DisposeAsync() => Inner is IAsyncDisposable owned ? owned.DisposeAsync() : ValueTask.CompletedTask;

    private static Task Through(Queue<Func<Func<Task>, Task>> faults, Func<Task> operation)
    {
        Func<Func<Task>, Task>? fault;
        lock (faults) faults.TryDequeue(out fault);
        return fault is null ? operation() : fault(operation);
    }
}
