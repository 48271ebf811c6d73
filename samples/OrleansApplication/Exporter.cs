using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;

namespace OrleansApplication;

/// <summary>Exports what a customer has.</summary>
public interface IExporter : IGrainWithStringKey
{
    Task ExportAsync();
}

internal sealed class Exporter(LeaseClient leases, Archive archive) : Grain, IExporter
{
    public Task ExportAsync() => new DistributedLock(leases, "archive").RunAsync(
        (lease, stop) => archive.WriteAsync(this.GetPrimaryKeyString(), lease.Token, stop));
}
