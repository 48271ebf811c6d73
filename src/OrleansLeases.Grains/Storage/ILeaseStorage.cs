using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// A storage that leases and keys can live on: beside what Orleans asks of one, it can be listed and swept. Thread-safe.
/// </summary>
internal interface ILeaseStorage
{
    /// <summary>Whether what it stores survives the silos.</summary>
    bool Durable { get; }

    /// <summary>The restore epoch that writes carry; known once it has started.</summary>
    int Epoch { get; }

    /// <summary>Why no claim may be made through this silo just now; null where nothing is wrong.</summary>
    string? Trouble { get; }

    /// <summary>Why it cannot be used just now, where that may pass by itself; null where it can.</summary>
    string? Away { get; }

    /// <summary>
    /// Why nothing has vouched for this silo's clock for long: no claim may be made through it, but another silo might not do
    /// better, so that it goes on. Null where something has.
    /// </summary>
    string? Blind { get; }

    /// <summary>The provider that grains read and write through.</summary>
    IGrainStorage Grains { get; }

    /// <summary>Checks that it can be used.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>When it can be used.</returns>
    /// <exception cref="InvalidOperationException">It cannot be; the message names the remedy.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Whether a write that failed with this error certainly changed nothing.</summary>
    /// <param name="error">What the provider threw.</param>
    /// <returns>False where it may have been written, or may yet be.</returns>
    bool SurelyNotWritten(Exception error);

    /// <summary>Reads committed records of resources, without the older blocks of their logs, in the byte order of their names.</summary>
    /// <param name="from">The first name that may come.</param>
    /// <param name="state">Which records.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The records, read as they are taken.</returns>
    IAsyncEnumerable<(string Resource, LeaseState State)> ReadFromAsync(string from, LeaseFilter state, CancellationToken cancellationToken);

    /// <summary>Reads committed keys that have a value, without the older blocks of their logs, in the byte order of their names.</summary>
    /// <param name="from">The first name that may come.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The records, read as they are taken.</returns>
    IAsyncEnumerable<(string Key, KeyState State)> ReadKeysFromAsync(string from, CancellationToken cancellationToken);

    /// <summary>The resources of one shard that someone should have looked at, earliest first.</summary>
    /// <param name="shard">The shard, from 0.</param>
    /// <param name="shards">How many there are.</param>
    /// <param name="last">The last one known; null to start.</param>
    /// <param name="until">Wall time until which, inclusive.</param>
    /// <param name="limit">How many at most.</param>
    /// <returns>The records after <paramref name="last"/>.</returns>
    Task<IReadOnlyList<DueRecord>> DueAfterAsync(int shard, int shards, DueRecord? last, TimeSpan until, int limit);
}

/// <summary>A record that changes by itself.</summary>
/// <param name="Resource">Its name.</param>
/// <param name="Due">Wall time at which.</param>
internal sealed record DueRecord(string Resource, TimeSpan Due);
