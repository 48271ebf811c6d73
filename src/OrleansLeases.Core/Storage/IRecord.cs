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
