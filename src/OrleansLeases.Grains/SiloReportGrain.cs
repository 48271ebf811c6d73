using Orleans.Concurrency;
using Orleans.Metadata;
using Orleans.Placement;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>Tells how one silo is. Its key is the silo's address.</summary>
[LeaseGrainType("silo-report"), SiloAddressPlacement, Reentrant, Immovable]
internal sealed class SiloReportGrain(IGrainContext context, LeaseSilo silo, ILocalSiloDetails details) : IGrainBase, ISiloReportGrain
{
    public IGrainContext GrainContext { get; } = context;

    public Task<ServiceMember> ReportAsync() => Task.FromResult(silo.Report(details.Name, details.SiloAddress));
}

/// <summary>What is asked of each silo for operators.</summary>
[Alias("OrleansLeases.ISiloReportGrain"), DefaultGrainType("silo-report")]
internal interface ISiloReportGrain : IGrainWithStringKey
{
    /// <summary>Tells how this silo is.</summary>
    /// <returns>Its health, its clock and what it has.</returns>
    [Alias("Report")]
    Task<ServiceMember> ReportAsync();
}
