using System.Collections.Concurrent;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>A service that does what a test says, and notes what it was asked.</summary>
internal sealed class ScriptedLeases : ILeaseService, IUndeliveredGrants
{
    public ConcurrentQueue<object> Asked { get; } = new();

    public Func<AcquireRequest, CancellationToken, ValueTask<LeaseResult<LeaseGrant>>> OnAcquire { get; set; } =
        (request, _) => new(Grant(request));

    public Func<RenewRequest, LeaseResult<LeaseRenewal>> OnRenew { get; set; } = Renewal;

    public Func<ReleaseRequest, LeaseResult<LeaseRelease>> OnRelease { get; set; } =
        request => new LeaseRelease { Resource = request.Resource, Token = request.Token };

    public Func<LeaseGrant, LeaseResult<LeaseRelease>> OnGiveBack { get; set; } =
        grant => new LeaseRelease { Resource = grant.Resource, Token = grant.Token };

    public Func<TransferRequest, LeaseResult<LeaseGrant>> OnTransfer { get; set; } = request => new LeaseGrant
    {
        Resource = request.Resource,
        Owner = request.NewOwner,
        Token = request.Token + 1,
        Mode = LeaseMode.Exclusive,
        Ttl = request.Ttl ?? TimeSpan.FromSeconds(30),
        Remaining = request.Ttl ?? TimeSpan.FromSeconds(30),
        Elapsed = TimeSpan.Zero,
        RenewAfter = TimeSpan.FromSeconds(10),
        RequestId = request.RequestId ?? "made",
    };

    public Func<BreakRequest, LeaseResult<LeaseBreak>> OnBreak { get; set; } =
        request => new LeaseBreak { Resource = request.Resource, Token = request.Token ?? 1, EndsIn = request.Grace };

    public Func<GetLeaseRequest, LeaseResult<LeaseInfo>> OnGet { get; set; } = request => Free(request.Resource);

    public Func<string, LeaseResult<KeyValue>> OnGetKey { get; set; } = key => new Refusal.NotFound($"There is no key '{key}'.");

    public Func<WatchRequest, LeaseResult<LeaseWatch>> OnWatch { get; set; } =
        _ => new Refusal.Unavailable(TimeSpan.FromSeconds(1), "Nothing is watched.");

    public Func<ServiceInfo> OnInfo { get; set; } = () => new ServiceInfo
    {
        Version = "1",
        Engine = "scripted",
        Durable = false,
        Epoch = 0,
        Grace = TimeSpan.FromSeconds(1),
        Limits = new LeaseLimits(),
    };

    public Refusal? NotReady { get; set; }

    public static LeaseGrant Grant(AcquireRequest request, bool replayed = false) => new()
    {
        Resource = request.Resource,
        Owner = request.Owner,
        Token = 7,
        Mode = request.Mode,
        Ttl = request.Ttl,
        Remaining = request.Ttl,
        Elapsed = TimeSpan.FromMilliseconds(1.9),
        RenewAfter = request.Ttl / 3,
        RequestId = request.RequestId ?? "made",
        Replayed = replayed,
    };

    public static LeaseInfo Free(string resource) => new()
    {
        Resource = resource,
        State = LeaseStatus.Free,
        Holders = [],
        LastToken = 0,
        Waiters = 0,
        Sequence = 0,
    };

    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return OnAcquire(request, cancellationToken);
    }

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(OnRenew(request));
    }

    public ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(new RenewBatchReply { Elapsed = TimeSpan.Zero, Results = [.. request.Leases.Select(OnRenew)] });
    }

    public async ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default) =>
        new BatchReply
        {
            Elapsed = TimeSpan.FromMilliseconds(2.9),
            Results = await Task.WhenAll(BatchCalls.Start(
                request.Operations, operation => this.CallAsync(operation, cancellationToken), cancellationToken)),
        };

    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(OnRelease(request));
    }

    public ValueTask<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant)
    {
        Asked.Enqueue(grant);
        return new(OnGiveBack(grant));
    }

    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(OnTransfer(request));
    }

    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(OnBreak(request));
    }

    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(OnGet(request));
    }

    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(new LeasePage { Leases = [Free("a")], Next = "a", AsOf = DateTimeOffset.UnixEpoch });
    }

    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(resource);
        return new(new LeaseHistory { Resource = resource, FirstSequence = 1, Events = [] });
    }

    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue((key, request));
        return new(new KeyPut { Key = key, Version = 3 });
    }

    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(key);
        return new(OnGetKey(key));
    }

    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue((key, ifVersion));
        return new(new KeyDeletion { Key = key, Existed = true });
    }

    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue((key, request));
        return new(new CounterValue { Key = key, Value = request.Delta, Version = 3 });
    }

    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(new KeyPage { Keys = [new KeyValue { Key = "a", Value = "1", Version = 1 }], Next = "a" });
    }

    public ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default)
    {
        Asked.Enqueue(request);
        return new(OnWatch(request));
    }

    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        new(NotReady is { } refusal ? refusal : OnInfo());

    private static LeaseResult<LeaseRenewal> Renewal(RenewRequest request) => new LeaseRenewal
    {
        Resource = request.Resource,
        Token = request.Token,
        Ttl = request.Ttl ?? TimeSpan.FromSeconds(30),
        Remaining = request.Ttl ?? TimeSpan.FromSeconds(30),
        Elapsed = TimeSpan.Zero,
        RenewAfter = TimeSpan.FromSeconds(10),
    };
}
