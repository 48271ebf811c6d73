using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>A record that a keeper owns and a store keeps.</summary>
internal interface IRecord : IHistory
{
    /// <summary>The schema of this record.</summary>
    int Schema { get; }

    /// <summary>Counts the stored writes; what compare-and-swap compares. 0 where nothing is stored.</summary>
    long Version { get; }

    /// <summary>Whether it stands among what is held: the lease has a holder, or the key a value.</summary>
    bool IsHeld { get; }

    /// <summary>Milliseconds since the Unix epoch at which it changes by itself; null for never.</summary>
    long? Due { get; }

    /// <summary>Wall: since when nothing is held, bound or pending; null while something is, and where that was not noted.</summary>
    TimeSpan? IdleSince { get; }

    /// <summary>
    /// Wall: since when it was idle the last time; a store that keeps it need not write it anew for what is soon used again.
    /// </summary>
    TimeSpan? LastIdle { get; }

    /// <summary>What its tokens, versions and events started above, where it is a first record or none yet.</summary>
    RecordFloor Floor { get; }

    /// <summary>The last of its tokens, and of its versions, generations and events.</summary>
    RecordFloor FloorAfter { get; }

    /// <summary>The number that its log started after.</summary>
    long LogStart { get; }

    /// <summary>Writes it without the finished blocks of its log.</summary>
    /// <returns>UTF-8 JSON.</returns>
    byte[] Encode();

    /// <summary>Writes a finished block of its log.</summary>
    /// <param name="number">The block's number.</param>
    /// <returns>UTF-8 JSON.</returns>
    byte[] EncodeBlock(long number);

    /// <summary>The same record with older blocks of its log before those it has.</summary>
    /// <param name="blocks">What <see cref="EncodeBlock"/> wrote, oldest first.</param>
    /// <returns>The whole record.</returns>
    IRecord WithOlder(IEnumerable<ReadOnlyMemory<byte>> blocks);
}
