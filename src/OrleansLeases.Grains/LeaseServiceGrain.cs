using Orleans.Concurrency;
using Orleans.Runtime;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>Answers what concerns no single resource, on whichever silo is at hand. Nobody waits here behind another's listing.</summary>
[LeaseGrainType("lease-service"), StatelessWorker, Reentrant]
internal sealed class LeaseServiceGrain(
    IGrainContext context, LeaseSilo silo, FailureLog failures, IGrainFactory grains, IClusterMembershipService membership)
    : IGrainBase, ILeaseServiceGrain
{
    private static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(2);

    public IGrainContext GrainContext { get; } = context;

    public async Task<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken)
    {
        if (Verbs.List.Admit(ref request, silo.Checks) is { } refusal) return refusal;
        return await silo.Listings.RunAsync(() => Task.Run(() => ReadLeasesAsync(request, cancellationToken)), cancellationToken);
    }

    public async Task<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken)
    {
        if (Verbs.ListKeys.Admit(ref request, silo.Checks) is { } refusal) return refusal;
        return await silo.Listings.RunAsync(() => Task.Run(() => ReadKeysAsync(request, cancellationToken)), cancellationToken);
    }

    public Task<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken) => Task.FromResult(silo.Info);

    public async Task<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken)
    {
        var members =
            from member in membership.CurrentSnapshot.Members.Values
            where member.Status is not (SiloStatus.None or SiloStatus.Dead)
            orderby member.Name, member.SiloAddress
            select ReportAsync(member, cancellationToken);
        return new MemberList { Members = await Task.WhenAll(members) };
    }

    private async Task<ServiceMember> ReportAsync(ClusterMember member, CancellationToken cancellationToken)
    {
        var state = member.Status switch
        {
            SiloStatus.Created or SiloStatus.Joining => MemberState.Starting,
            SiloStatus.ShuttingDown or SiloStatus.Stopping => MemberState.Stopping,
            _ => MemberState.Silent,
        };
        string? detail = null;
        try
        {
            if (state == MemberState.Silent)
            {
                var report = grains.GetGrain<ISiloReportGrain>(member.SiloAddress.ToParsableString()).ReportAsync();
                return await report.WaitAsync(SilentAfter, GrainKeepers.RealTime, cancellationToken);
            }
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            detail = failures.Describe("A silo did not tell how it is", error);
        }

        return new() { Name = member.Name, Address = member.SiloAddress.Endpoint.ToString(), State = state, Detail = detail };
    }

    private async Task<LeaseResult<LeasePage>> ReadLeasesAsync(ListLeasesRequest request, CancellationToken cancellationToken)
    {
        var page = new ListingPage(request, silo.Clock.Read(), silo.Rules);
        try
        {
            var heldOnly = request.State == LeaseFilter.Held;
            await foreach (var record in silo.Store.RangeAsync(RecordKind.Lease, page.From, heldOnly, cancellationToken))
            {
                if (!page.Add(record.Name, record.Lease)) break;
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return new Refusal.Unavailable(
                TimeSpan.FromSeconds(1),
                $"The leases cannot be listed; ask again. {failures.Describe("The leases cannot be listed", error)}");
        }

        return page.ToPage();
    }

    private async Task<LeaseResult<KeyPage>> ReadKeysAsync(ListKeysRequest request, CancellationToken cancellationToken)
    {
        var page = new KeyListingPage(request, silo.Clock.Read(), silo.Rules);
        try
        {
            await foreach (var record in silo.Store.RangeAsync(RecordKind.Key, page.From, heldOnly: true, cancellationToken))
            {
                if (!page.Add(record.Name, record.Key)) break;
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            return new Refusal.Unavailable(
                TimeSpan.FromSeconds(1),
                $"The keys cannot be listed; ask again. {failures.Describe("The keys cannot be listed", error)}");
        }

        return await page.ToPageAsync(silo.Keepers, GrainKeepers.RealTime);
    }
}
