namespace OrleansLeases.Core;

/// <summary>The changes that a record remembers, for those who watch it.</summary>
internal interface IHistory
{
    /// <summary>The number of the oldest change still known; one more than <see cref="Last"/> where there is none.</summary>
    long First { get; }

    /// <summary>The number of the newest change.</summary>
    long Last { get; }

    /// <summary>Describes the changes after one, oldest first.</summary>
    /// <param name="name">The record's name.</param>
    /// <param name="sequence">The number of that change; those behind it are all known.</param>
    /// <returns>An event for each.</returns>
    IEnumerable<WatchEvent> After(string name, long sequence);
}
