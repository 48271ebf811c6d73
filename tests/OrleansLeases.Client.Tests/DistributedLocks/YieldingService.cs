using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.DistributedLocks;

/// <summary>A service as applications may write one: it goes on where its caller is.</summary>
internal sealed class YieldingService(ILeaseService service) : ForwardingLeases(service)
{
    public override async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return await base.AcquireAsync(request, cancellationToken);
    }

    public override async ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return await base.ReleaseAsync(request, cancellationToken);
    }
}
