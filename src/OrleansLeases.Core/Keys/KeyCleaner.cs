namespace OrleansLeases.Core;

/// <summary>
/// Cleans up the keys of ended leases: a batch of one lease at a time, so that a lease with many keys keeps no other
/// waiting, and again until it is done. Thread-safe.
/// </summary>
/// <param name="keepers">The keepers of keys and leases.</param>
/// <param name="time">The clock of the pauses.</param>
/// <param name="scheduler">Where it works; the thread pool where left out.</param>
internal sealed class KeyCleaner(IKeepers keepers, TimeProvider time, TaskScheduler? scheduler = null) : IKeyCleaner, IDisposable
{
    // Enough at once to fill a store's batches, and few enough that a call about one of these keys does not wait long.
    private const int BatchLength = 32;
    private const int BatchesAtOnce = 32;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly HashSet<(string Resource, long Token)> _known = [];
    private readonly Queue<Job> _waiting = new();
    private readonly CancellationTokenSource _stop = new();
    private int _running;

    /// <summary>How many leases that ended have keys left to clean up.</summary>
    public int Outstanding
    {
        get
        {
            lock (_gate) return _known.Count;
        }
    }

    /// <inheritdoc/>
    public void CleanUp(string resource, PendingCleanUp ended)
    {
        ArgumentNullException.ThrowIfNull(ended);
        lock (_gate)
        {
            // The clean-up under way has all keys that are left: they only become fewer.
            if (!_known.Add((resource, ended.Token))) return;
        }

        Enqueue(new Job(resource, ended.Token, new Queue<string>(ended.Keys)));
    }

    /// <summary>Stops. What is left is on record with its lease.</summary>
    public void Dispose() => _stop.Cancel();

    private void Enqueue(Job job)
    {
        lock (_gate)
        {
            _waiting.Enqueue(job);
            if (_running == BatchesAtOnce || _stop.IsCancellationRequested) return;
            _running++;
        }

        // Away from the lease's keeper, which dispatches it and goes on.
        _ = Background.SuppressFlow(() =>
            Task.Factory.StartNew(
                WorkAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler ?? TaskScheduler.Default));
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            Job? job;
            lock (_gate)
            {
                if (_stop.IsCancellationRequested || !_waiting.TryDequeue(out job))
                {
                    _running--;
                    return;
                }
            }

            var progress = await TakeBatchAsync(job);
            if (job.Keys.Count == 0)
            {
                lock (_gate) _known.Remove((job.Resource, job.Token));
            }
            else if (progress)
            {
                Enqueue(job);
            }
            else
            {
                _ = EnqueueLaterAsync(job);
            }
        }
    }

    private async Task EnqueueLaterAsync(Job job)
    {
        try
        {
            await Task.Delay(Pause, time, _stop.Token);
            Enqueue(job);
        }
        catch (OperationCanceledException)
        {
            // It is on record with its lease.
        }
    }

    /// <summary>Cleans some keys and has the lease note it. What does not respond goes to the end of the queue.</summary>
    private async Task<bool> TakeBatchAsync(Job job)
    {
        var batch = new List<string>();
        while (batch.Count < BatchLength && job.Keys.TryDequeue(out var key)) batch.Add(key);
        var cleaned = await Task.WhenAll(batch.Select(key => IsDoneAsync(
            () => keepers.AskKeyAsync(key, new KeyCommand.Clean(job.Resource, job.Token)))));
        var done = batch.Where((_, index) => cleaned[index]).ToArray();
        // Only what is durable is taken off the record; a crash in between cleans it once more.
        var noted = done.Length > 0 && await IsDoneAsync(
            () => keepers.AskLeaseAsync(job.Resource, new LeaseCommand.CleanUpDone(job.Token, done)));
        foreach (var key in noted ? batch.Except(done, StringComparer.Ordinal) : batch) job.Keys.Enqueue(key);
        return noted;
    }

    private static async Task<bool> IsDoneAsync<TReply>(Func<Task<LeaseResult<TReply>>> ask)
        where TReply : class
    {
        try
        {
            return (await ask()).Refusal is null;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return false;
        }
    }

    private sealed record Job(string Resource, long Token, Queue<string> Keys);
}
