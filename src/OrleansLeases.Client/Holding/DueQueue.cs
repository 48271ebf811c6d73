using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Client.Holding;

/// <summary>Leases by when something is due for them, the earliest first; each is in it once. A binary heap. Not thread-safe.</summary>
internal sealed class DueQueue
{
    private readonly List<HeldLease> _heap = [];

    public int Count => _heap.Count;

    public bool TryPeek([NotNullWhen(true)] out HeldLease? first)
    {
        first = _heap.Count > 0 ? _heap[0] : null;
        return first is not null;
    }

    /// <summary>Puts a lease in, or moves it.</summary>
    public void Set(HeldLease lease, TimeSpan dueAt)
    {
        lease.DueAt = dueAt;
        if (lease.QueueIndex < 0)
        {
            lease.QueueIndex = _heap.Count;
            _heap.Add(lease);
        }

        Settle(lease);
    }

    /// <summary>Takes a lease out, if it is in.</summary>
    public void Remove(HeldLease lease)
    {
        var index = lease.QueueIndex;
        if (index < 0) return;
        lease.QueueIndex = -1;
        var last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (last == lease) return;
        Put(index, last);
        Settle(last);
    }

    private void Settle(HeldLease lease)
    {
        var index = lease.QueueIndex;
        while (index > 0 && lease.DueAt < _heap[(index - 1) / 2].DueAt)
        {
            Put(index, _heap[(index - 1) / 2]);
            index = (index - 1) / 2;
        }

        while (EarlierChild(index) is { } child && _heap[child].DueAt < lease.DueAt)
        {
            Put(index, _heap[child]);
            index = child;
        }

        Put(index, lease);
    }

    private int? EarlierChild(int index)
    {
        var left = (2 * index) + 1;
        if (left >= _heap.Count) return null;
        return left + 1 < _heap.Count && _heap[left + 1].DueAt < _heap[left].DueAt ? left + 1 : left;
    }

    private void Put(int index, HeldLease lease)
    {
        _heap[index] = lease;
        lease.QueueIndex = index;
    }
}
