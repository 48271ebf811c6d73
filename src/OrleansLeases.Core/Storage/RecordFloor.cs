using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>
/// What the dropped records of one shard of names leave behind, so that the tokens and versions of a name that comes back go on growing.
/// Immutable. A floor only ever rises. Decision dropped-names-leave-a-floor.
/// </summary>
/// <param name="Token">At least the last token of every lease whose record was dropped; 0 for keys.</param>
/// <param name="Sequence">At least every version, generation and event number of every record that was dropped.</param>
public readonly record struct RecordFloor(long Token, long Sequence)
{
    /// <summary>The number of shards, of each kind of records. It never changes: a name would be looked for under another floor.</summary>
    public const int Shards = 1024;

    /// <summary>The shard of a name.</summary>
    /// <param name="name">The name of a record.</param>
    /// <returns>From 0 to one less than <see cref="Shards"/>; the same in every process and version.</returns>
    public static int ShardOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return (int)(NameHash.Of(name) % Shards);
    }

    /// <summary>Whether nothing in another floor is higher: a record that starts above this one starts above that one as well.</summary>
    /// <param name="other">The other floor.</param>
    /// <returns>Whether it covers the other.</returns>
    public bool Covers(RecordFloor other) => Token >= other.Token && Sequence >= other.Sequence;

    /// <summary>Raises it to cover another floor.</summary>
    /// <param name="other">The other floor.</param>
    /// <returns>The higher of each number.</returns>
    public RecordFloor RaisedTo(RecordFloor other) => new(Math.Max(Token, other.Token), Math.Max(Sequence, other.Sequence));
}
