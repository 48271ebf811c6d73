using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Orleans.Calls;

// The three verbs that are measured, by one of the two ways to them.
internal interface ILeaseCalls
{
    string Way { get; }

    // The way to one resource, for callers that ask for it again and again.
    ILeaseCalls To(string resource);

    ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request);

    ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request);

    ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request);
}

// An Orleans application's own calls; it keeps the reference of a grain that it calls again.
internal sealed class DirectCalls(IGrainFactory grains, ILeaseGrain? grain = null, string way = "grain calls") : ILeaseCalls
{
    public string Way => way;

    public ILeaseCalls To(string resource) => new DirectCalls(grains, grains.GetLease(resource), way);

    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request) => new(GrainOf(request.Resource).AcquireAsync(request));

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request) => new(GrainOf(request.Resource).RenewAsync(request));

    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request) =>
        new(GrainOf(request.Resource).ReleaseAsync(request));

    private ILeaseGrain GrainOf(string resource) => grain ?? grains.GetLease(resource);
}

// What the gateway calls.
internal sealed class ServiceCalls(ILeaseService service) : ILeaseCalls
{
    public string Way => "ILeaseService";

    public ILeaseCalls To(string resource) => this;

    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request) => service.AcquireAsync(request);

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request) => service.RenewAsync(request);

    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request) => service.ReleaseAsync(request);
}

// Every answer is checked.
internal static class CheckedCalls
{
    public static async ValueTask<long> AcquireCheckedAsync(this ILeaseCalls calls, AcquireRequest request)
    {
        var answer = await calls.AcquireAsync(request);
        return answer.TryGetValue(out var grant, out _) && grant is { Token: > 0, Replayed: false, Remaining.Ticks: > 0 }
            && grant.Resource == request.Resource && grant.Owner == request.Owner
            ? grant.Token
            : throw new BenchException($"Acquire of {request.Resource}: {answer}");
    }

    public static async ValueTask RenewCheckedAsync(this ILeaseCalls calls, RenewRequest request)
    {
        var answer = await calls.RenewAsync(request);
        if (!answer.TryGetValue(out var renewal, out _) || renewal.Token != request.Token || renewal.Resource != request.Resource
            || renewal.Remaining <= TimeSpan.Zero)
            throw new BenchException($"Renewal of {request.Resource}, token {request.Token}: {answer}");
    }

    public static async ValueTask ReleaseCheckedAsync(this ILeaseCalls calls, ReleaseRequest request)
    {
        var answer = await calls.ReleaseAsync(request);
        if (!answer.TryGetValue(out var release, out _) || release.Token != request.Token || release.Replayed)
            throw new BenchException($"Release of {request.Resource}, token {request.Token}: {answer}");
    }
}
