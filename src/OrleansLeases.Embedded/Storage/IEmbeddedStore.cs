using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>A store that one process has to itself.</summary>
internal interface IEmbeddedStore : IRecordStore<LeaseState>, IRecordStore<KeyState>, IAsyncDisposable
{
    /// <summary>Whether what it stores survives the process.</summary>
    bool Durable { get; }

    /// <summary>Ends once another process may have the store, with the reason and the remedy: nothing is saved from then on.</summary>
    Task<string> Lost { get; }

    /// <summary>Why what is asked of it is refused just now, and what helps; null where nothing is wrong.</summary>
    string? Trouble { get; }

    /// <summary>The restore epoch that its writes carry.</summary>
    int Epoch { get; }

    /// <summary>Reads committed records in the byte order of their names.</summary>
    /// <param name="from">The first name that may come.</param>
    /// <param name="held">Whether only those that have a holder; then it costs what is held, however many are free.</param>
    /// <returns>The records, read as they are taken; to be disposed of.</returns>
    IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from, bool held);

    /// <summary>Reads committed keys that have a value, in the byte order of their names.</summary>
    /// <param name="from">The first name that may come.</param>
    /// <returns>The records, without the older blocks of their logs, read as they are taken; to be disposed of.</returns>
    IEnumerable<(string Key, KeyState State)> ReadKeysFrom(string from);

    /// <summary>The records that someone should have looked at, earliest first.</summary>
    /// <param name="last">The last one known; null to start.</param>
    /// <param name="until">Wall time until which, inclusive.</param>
    /// <param name="limit">How many at most.</param>
    /// <returns>The records after <paramref name="last"/>.</returns>
    IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit);
}

/// <summary>A record that changes by itself.</summary>
/// <param name="Resource">Its name.</param>
/// <param name="Due">Wall time at which.</param>
/// <param name="Id">Tells apart those of the same time.</param>
internal sealed record DueRecord(string Resource, TimeSpan Due, long Id);
