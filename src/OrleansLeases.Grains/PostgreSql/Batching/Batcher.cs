using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>Something that goes to the database along with others, and has an outcome of its own.</summary>
internal interface IBatchItem
{
    (RecordKind Kind, string Name) Key { get; }

    /// <summary>Tells that nothing is known of it but this.</summary>
    bool TrySetException(Exception error);
}

/// <summary>
/// Gathers items into batches, of which a few are at the database at once. It has no timer: an item goes at once while fewer are, and
/// otherwise gathers with others until one of them is back. Thread-safe.
/// </summary>
/// <param name="most">How many batches are at the database at once.</param>
/// <param name="size">How many items go in a batch at most.</param>
/// <param name="keysApart">Whether items of the same key go one after the other.</param>
/// <param name="run">
/// Has the database process a batch, and gives its items their outcomes once all of it is certain. What it throws becomes of all.
/// </param>
internal sealed class Batcher<TItem>(int most, int size, bool keysApart, Func<List<TItem>, Task> run)
    where TItem : IBatchItem
{
    // Background items join a batch of foreground items in small portions.
    private readonly int _backgroundRoom = Math.Max(1, size / 16);
    private readonly Lock _gate = new();
    private readonly Queue<TItem> _foreground = new();
    private readonly Queue<TItem> _background = new();
    private readonly HashSet<(RecordKind Kind, string Name)> _underWay = [];
    private readonly List<TItem> _behindTheirKey = [];
    private int _running;

    /// <summary>Takes an item in.</summary>
    /// <param name="item">The item.</param>
    /// <param name="background">Whether others may go first.</param>
    public void Add(TItem item, bool background = false)
    {
        bool alone;
        lock (_gate)
        {
            (background ? _background : _foreground).Enqueue(item);
            if (_running == most) return;
            alone = _running++ == 0;
        }

        if (alone) StartHere();
        else Start();
    }

    // Nobody else asks: a change of threads would be all that it waited for.
    private void StartHere() => _ = Background.SuppressFlow(
        static self => Background.StartOnDefaultScheduler(static self => self.RunNextAsync(), self), this);

    // Behind everything that the thread pool has to do: what that adds meanwhile goes along. And it carries nothing of the caller's.
    private void Start() => ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.RunNextAsync(), this, preferLocal: false);

    private async Task RunNextAsync()
    {
        var batch = Take();
        if (batch.Count == 0) return;
        await RunAsync(batch);
        if (GoesOnAfter(batch)) Start();
    }

    private List<TItem> Take()
    {
        var batch = new List<TItem>();
        lock (_gate)
        {
            Take(_foreground, size, batch);
            Take(_background, batch.Count == 0 ? size : Math.Min(size, batch.Count + _backgroundRoom), batch);
            if (batch.Count == 0) _running--;
        }

        return batch;
    }

    private void Take(Queue<TItem> from, int until, List<TItem> batch)
    {
        while (batch.Count < until && from.TryDequeue(out var item))
        {
            if (!keysApart || _underWay.Add(item.Key)) batch.Add(item);
            else _behindTheirKey.Add(item);
        }
    }

    // Where nothing waits the place is free at once: the next item of a lone caller finds it so, and need not change threads.
    private bool GoesOnAfter(List<TItem> batch)
    {
        lock (_gate)
        {
            if (keysApart)
            {
                foreach (var item in batch) _underWay.Remove(item.Key);
                foreach (var item in _behindTheirKey) _foreground.Enqueue(item);
                _behindTheirKey.Clear();
            }

            if (_foreground.Count > 0 || _background.Count > 0) return true;
            _running--;
            return false;
        }
    }

    private async Task RunAsync(List<TItem> batch)
    {
        try
        {
            await run(batch);
        }
        catch (Exception error) when (batch.Count > 1 && DatabaseErrors.MayBeOfOneRow(error))
        {
            // Nothing of it was written. In halves, a row that the database takes by no means costs the others a few statements.
            var half = batch.Count / 2;
            await RunAsync(batch.GetRange(0, half));
            await RunAsync(batch.GetRange(half, batch.Count - half));
        }
        catch (Exception error)
        {
            foreach (var item in batch) item.TrySetException(error);
        }
    }
}
