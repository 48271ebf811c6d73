using System.Data.Common;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>One grain's record in a grain storage, as its keeper sees it: that of a resource, or that of a key.</summary>
/// <remarks>
/// It asks the provider itself rather than through <c>IPersistentState</c>: that reads before the first call and
/// throws the provider's exceptions at the caller, and carries state along when a grain migrates. Every operation has a
/// grain state of its own, so that one that was given up and completes late changes nothing here.
/// </remarks>
internal sealed class GrainStore(ILeaseStorage storage, GrainId grain, TimeSpan timeout, TimeProvider time) : IRecordStore<LeaseState>, IRecordStore<KeyState>
{
    private string? _etag;

    async ValueTask<LeaseState> IRecordStore<LeaseState>.LoadAsync(string resource) =>
        (await ReadAsync<LeaseRecord>(LeaseRecord.StateName))?.Lease ?? LeaseState.Unused;

    async ValueTask<KeyState> IRecordStore<KeyState>.LoadAsync(string key) =>
        (await ReadAsync<KeyRecord>(KeyRecord.StateName))?.Key ?? KeyState.Unused;

    public ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background) => WriteAsync(
        LeaseRecord.StateName, new LeaseRecord { Epoch = storage.Epoch, Lease = next, StoredChanges = previous.Log.Last }, previous.Version > 0);

    public ValueTask<SaveOutcome> SaveAsync(string key, KeyState previous, KeyState next, bool background) => WriteAsync(
        KeyRecord.StateName, new KeyRecord { Epoch = storage.Epoch, Key = next, StoredChanges = previous.Log.Last }, previous.Version > 0);

    private async ValueTask<T?> ReadAsync<T>(string stateName)
        where T : GrainRecord, new()
    {
        if ((storage.Trouble ?? storage.Blind) is { } trouble) throw new StoreUnreadableException(trouble);
        var stored = new GrainState<T>(new T());
        await storage.Grains.ReadStateAsync(stateName, grain, stored).WaitAsync(timeout, time);
        var record = stored.RecordExists ? stored.State : null;
        if (record is not null && record.Epoch != storage.Epoch)
            throw new StoreUnreadableException($"The store's restore epoch is {record.Epoch}, this silo started under {storage.Epoch}; restart the silo.");
        // Only now: a load that fails leaves the keeper with what it knew, and that with the version it goes with.
        _etag = stored.ETag;
        return record;
    }

    private async ValueTask<SaveOutcome> WriteAsync<T>(string stateName, T record, bool exists)
        where T : GrainRecord
    {
        var stored = new GrainState<T>(record) { ETag = _etag, RecordExists = exists };
        try
        {
            await storage.Grains.WriteStateAsync(stateName, grain, stored).WaitAsync(timeout, time);
        }
        catch (Exception error) when (error is InconsistentStateException or DbException { SqlState: "40001" or "40P01" })
        {
            // The latter two is how a database says it that makes more of isolation: of two at once, this one was undone.
            return SaveOutcome.Conflict;
        }
        catch (Exception error) when (storage.SurelyNotWritten(error))
        {
            return SaveOutcome.NotSaved;
        }

        _etag = stored.ETag;
        return SaveOutcome.Saved;
    }
}
