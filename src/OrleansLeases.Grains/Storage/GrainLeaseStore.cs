using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>One grain's record in a grain storage, as its keeper sees it.</summary>
/// <remarks>
/// It asks the provider itself rather than through <c>IPersistentState</c>: that reads before the first call and
/// throws the provider's exceptions at the caller, and carries state along when a grain migrates. Every operation has a
/// grain state of its own, so that one that was given up and completes late changes nothing here.
/// </remarks>
internal sealed class GrainLeaseStore(ILeaseStorage storage, GrainId grain, TimeSpan timeout, TimeProvider time) : ILeaseStore
{
    private string? _etag;

    public async ValueTask<LeaseState> LoadAsync(string resource)
    {
        if (storage.Trouble is { } trouble) throw new InvalidOperationException(trouble);
        var stored = new GrainState<LeaseRecord>(new LeaseRecord());
        await storage.Grains.ReadStateAsync(LeaseRecord.StateName, grain, stored).WaitAsync(timeout, time);
        var record = stored.RecordExists ? stored.State : null;
        if (record is not null && record.Epoch != storage.Epoch)
            throw new InvalidOperationException($"The store's restore epoch is {record.Epoch}, this silo started under {storage.Epoch}; restart the silo.");
        // Only now: a load that fails leaves the keeper with what it knew, and that with the version it goes with.
        _etag = stored.ETag;
        return record?.Lease ?? LeaseState.Unused;
    }

    public async ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background)
    {
        var record = new LeaseRecord { Epoch = storage.Epoch, Lease = next, StoredChanges = previous.Log.Last };
        var stored = new GrainState<LeaseRecord>(record) { ETag = _etag, RecordExists = previous.Version > 0 };
        try
        {
            await storage.Grains.WriteStateAsync(LeaseRecord.StateName, grain, stored).WaitAsync(timeout, time);
        }
        catch (InconsistentStateException)
        {
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
