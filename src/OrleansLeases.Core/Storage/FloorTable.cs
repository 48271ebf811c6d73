using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>The floors of all shards, as far as a store knows them. Thread-safe.</summary>
internal sealed class FloorTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(RecordKind Kind, int Shard), RecordFloor> _floors = [];

    /// <summary>The floor of a name's shard.</summary>
    public RecordFloor Of(RecordKind kind, string name)
    {
        lock (_gate) return _floors.Count == 0 ? default : _floors.GetValueOrDefault((kind, RecordFloor.ShardOf(name)));
    }

    /// <summary>Raises the floor of a shard, unless it is as high already.</summary>
    /// <returns>Whether it was raised.</returns>
    public bool Raise(RecordKind kind, int shard, RecordFloor to)
    {
        lock (_gate)
        {
            var floor = _floors.GetValueOrDefault((kind, shard));
            if (floor.Covers(to)) return false;
            _floors[(kind, shard)] = floor.RaisedTo(to);
            return true;
        }
    }
}
