using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>Rows through Orleans' ADO.NET provider, which makes each a statement and a transaction of its own.</summary>
/// <remarks>
/// It asks the provider itself rather than have a grain ask through <c>IPersistentState</c>: that reads before the first call and
/// throws the provider's exceptions at the caller, and carries state along when a grain migrates. Every operation has a grain state
/// of its own, so that one that was given up and completes late changes nothing here. Decision grains-ask-their-storage.
/// </remarks>
internal sealed class AdoNetRows(IGrainStorage provider) : IRecordRows
{
    /// <summary>The name of the provider that leases and keys have to themselves.</summary>
    public const string ProviderName = "OrleansLeases";

    public async Task<LoadedRecord?> LoadAsync(RecordKind kind, string name)
    {
        var lines = new GrainState<RecordLines>(new RecordLines());
        await provider.ReadStateAsync(RowKind.Of(kind), GrainOf(kind, name), lines);
        if (!lines.RecordExists) return null;
        var (epoch, record) = lines.State!.Read(kind, name);
        record.Tag = lines.ETag;
        return new(epoch, record);
    }

    public async Task<bool> SaveAsync(int epoch, StoredRecord previous, StoredRecord next, bool background)
    {
        var lines = new GrainState<RecordLines>(RecordLines.Of(epoch, previous, next))
        {
            ETag = previous.Tag, RecordExists = previous.Version > 0,
        };
        try
        {
            await provider.WriteStateAsync(RowKind.Of(next.Kind), GrainOf(next.Kind, next.Name), lines);
        }
        catch (InconsistentStateException)
        {
            return false;
        }

        next.Tag = lines.ETag;
        return true;
    }

    // No grain has a service's own record, but the provider wants a key with a prefix.
    private static GrainId GrainOf(RecordKind kind, string name) => GrainId.Create(RowKind.Of(kind), kind switch
    {
        RecordKind.Lease => LeaseGrainKey.Of(name),
        RecordKind.Key => KeyGrainKey.Of(name),
        _ => "s:" + name,
    });
}

/// <summary>Starts Orleans' provider with the silo, where it is the one that is used: it asks the database at its start.</summary>
internal sealed class AdoNetProviderStart(IServiceProvider services, bool isUsed) : ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle lifecycle)
    {
        if (isUsed) ((ILifecycleParticipant<ISiloLifecycle>)Provider).Participate(lifecycle);
    }

    private IGrainStorage Provider => services.GetRequiredKeyedService<IGrainStorage>(AdoNetRows.ProviderName);
}
