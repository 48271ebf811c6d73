namespace OrleansLeases.Core;

/// <summary>A record that a keeper owns and a store keeps.</summary>
public interface IRecord : IHistory
{
    /// <summary>The schema of this record.</summary>
    int Schema { get; }

    /// <summary>Counts the stored writes; what compare-and-swap compares. 0 where nothing is stored.</summary>
    long Version { get; }
}
