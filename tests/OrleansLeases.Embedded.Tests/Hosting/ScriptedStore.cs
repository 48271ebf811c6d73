using OrleansLeases.Core;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>A store that fails, hangs or forgets to compare versions as a test tells it to.</summary>
internal sealed class ScriptedStore(IRecordStore behind) : IRecordStore, IAsyncDisposable
{
    /// <summary>Runs before a save; what it throws is the outcome, and nothing is written.</summary>
    public Func<LeaseState, Task>? BeforeSave { get; set; }

    /// <summary>Runs after a save; what it throws is the outcome, though it was written.</summary>
    public Func<LeaseState, Task>? AfterSave { get; set; }

    /// <summary>As <see cref="BeforeSave"/>, for keys.</summary>
    public Func<string, KeyState, Task>? BeforeSaveKey { get; set; }

    /// <summary>As <see cref="AfterSave"/>, for keys.</summary>
    public Func<string, KeyState, Task>? AfterSaveKey { get; set; }

    /// <summary>Runs before a load.</summary>
    public Action? BeforeLoad { get; set; }

    /// <summary>Runs before a load of a key.</summary>
    public Func<string, Task>? BeforeLoadKey { get; set; }

    /// <summary>Whether any save has failed.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>How many saves were asked for.</summary>
    public int Saves { get; private set; }

    public bool IsDurable => behind.IsDurable;

    public int Epoch => behind.Epoch;

    public StorageTrouble? Trouble => behind.Trouble;

    public async ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
    {
        if (kind == RecordKind.Lease) BeforeLoad?.Invoke();
        else if (BeforeLoadKey is not null) await BeforeLoadKey(name).ConfigureAwait(false);
        return await behind.LoadAsync(kind, name).ConfigureAwait(false);
    }

    public async ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        if (next.Kind == RecordKind.Lease) Saves++;
        try
        {
            if (next.Kind == RecordKind.Key && BeforeSaveKey is not null) await BeforeSaveKey(next.Name, next.Key).ConfigureAwait(false);
            if (next.Kind == RecordKind.Lease && BeforeSave is not null) await BeforeSave(next.Lease).ConfigureAwait(false);
            var outcome = await behind.SaveAsync(previous, next, background).ConfigureAwait(false);
            if (next.Kind == RecordKind.Key && AfterSaveKey is not null) await AfterSaveKey(next.Name, next.Key).ConfigureAwait(false);
            if (next.Kind == RecordKind.Lease && AfterSave is not null) await AfterSave(next.Lease).ConfigureAwait(false);
            return outcome;
        }
        catch (IOException)
        {
            HasFailed = true;
            throw;
        }
    }

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        behind.RangeAsync(kind, from, heldOnly, cancellationToken);

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        behind.DueAsync(query, cancellationToken);

    public ValueTask DisposeAsync() => behind is IAsyncDisposable owned ? owned.DisposeAsync() : ValueTask.CompletedTask;

    /// <summary>Fails once.</summary>
    public static Func<LeaseState, Task> Once(Exception error)
    {
        var left = 1;
        return _ => Interlocked.Exchange(ref left, 0) == 1 ? Task.FromException(error) : Task.CompletedTask;
    }
}
