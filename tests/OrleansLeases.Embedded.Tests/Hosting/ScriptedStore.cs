using OrleansLeases.Core;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>A store that fails, hangs or forgets to compare versions as a test tells it to.</summary>
internal sealed class ScriptedStore(IEmbeddedStore behind) : IEmbeddedStore
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

    public bool Durable => behind.Durable;

    public Task<string> Lost => behind.Lost;

    public int Epoch => behind.Epoch;

    public string? Trouble => behind.Trouble;

    ValueTask<LeaseState> IRecordStore<LeaseState>.LoadAsync(string resource)
    {
        BeforeLoad?.Invoke();
        return ((IRecordStore<LeaseState>)behind).LoadAsync(resource);
    }

    public async ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background)
    {
        Saves++;
        try
        {
            if (BeforeSave is not null) await BeforeSave(next).ConfigureAwait(false);
            var outcome = await behind.SaveAsync(resource, previous, next, background).ConfigureAwait(false);
            if (AfterSave is not null) await AfterSave(next).ConfigureAwait(false);
            return outcome;
        }
        catch (IOException)
        {
            HasFailed = true;
            throw;
        }
    }

    async ValueTask<KeyState> IRecordStore<KeyState>.LoadAsync(string key)
    {
        if (BeforeLoadKey is not null) await BeforeLoadKey(key).ConfigureAwait(false);
        return await ((IRecordStore<KeyState>)behind).LoadAsync(key).ConfigureAwait(false);
    }

    public async ValueTask<SaveOutcome> SaveAsync(string key, KeyState previous, KeyState next, bool background)
    {
        try
        {
            if (BeforeSaveKey is not null) await BeforeSaveKey(key, next).ConfigureAwait(false);
            var outcome = await behind.SaveAsync(key, previous, next, background).ConfigureAwait(false);
            if (AfterSaveKey is not null) await AfterSaveKey(key, next).ConfigureAwait(false);
            return outcome;
        }
        catch (IOException)
        {
            HasFailed = true;
            throw;
        }
    }

    public IEnumerable<(string Key, KeyState State)> ReadKeysFrom(string from) => behind.ReadKeysFrom(from);

    public IEnumerable<(string Resource, LeaseState State)> ReadFrom(string from, bool held) => behind.ReadFrom(from, held);

    public IReadOnlyList<DueRecord> DueAfter(DueRecord? last, TimeSpan until, int limit) => behind.DueAfter(last, until, limit);

    public ValueTask DisposeAsync() => behind.DisposeAsync();

    /// <summary>Fails once.</summary>
    public static Func<LeaseState, Task> Once(Exception error)
    {
        var left = 1;
        return _ => Interlocked.Exchange(ref left, 0) == 1 ? Task.FromException(error) : Task.CompletedTask;
    }
}
