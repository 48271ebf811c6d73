using System.Reflection;

namespace OrleansLeases.Core.Tests.Verbs;

/// <summary>What the front does for every verb, before a host that answers when the test says so.</summary>
public sealed class ServiceFrontTests
{
    private static readonly AcquireRequest Acquire = new() { Resource = "r", Owner = "me", Ttl = TimeSpan.FromSeconds(10) };
    private static readonly RenewRequest Renew = new() { Resource = "r", Owner = "me", Token = 1 };

    // Only a defect lets a test wait this long.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Host _host;
    private readonly ServiceFront _front;

    public ServiceFrontTests()
    {
        var host = DispatchProxy.Create<IServiceHost, Host>();
        _host = (Host)(object)host;
        _front = new ServiceFront(host, new LeaseLimits(), TimeProvider.System);
    }

    [Fact]
    public async Task Acquire_CancelledBeforeItsAnswer_IsGivenBack()
    {
        using var gone = new CancellationTokenSource();
        var answer = _host.Answer<LeaseGrant>("AcquireAsync");
        var givenBack = _host.Answer<LeaseRelease>("GiveBackAsync");
        var call = _front.AcquireAsync(Acquire, gone.Token).AsTask();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.DoesNotContain("GiveBackAsync", _host.Called);
        answer.SetResult(Grant());
        givenBack.SetResult(new LeaseRelease { Resource = "r", Token = 7, Replayed = false });

        await _host.CalledAsync("GiveBackAsync");
        Assert.Equal(["AcquireAsync", "GiveBackAsync"], _host.Called);
    }

    [Fact]
    public async Task Watch_CancelledBeforeItsAnswer_IsEnded()
    {
        using var gone = new CancellationTokenSource();
        var ended = new TaskCompletionSource();
        var answer = _host.Answer<LeaseWatch>("WatchAsync");
        var call = _front.WatchAsync(new WatchRequest { Resource = "r" }, gone.Token).AsTask();

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        answer.SetResult(new LeaseWatch(AsyncEnumerable.Empty<WatchEvent>(), new Ending(ended)));

        await ended.Task.WaitAsync(Limit, TimeProvider.System);
    }

    [Fact]
    public async Task Renewal_DoesNotWaitForTheLimits_AndAnAcquireDoes()
    {
        var front = new ServiceFront((IServiceHost)(object)_host, limits: null, TimeProvider.System);
        var info = _host.Answer<ServiceInfo>("InfoAsync");
        _host.Answer<LeaseRenewal>("RenewAsync").SetResult(new Refusal.Unavailable(TimeSpan.Zero, "moving"));
        _host.Answer<LeaseGrant>("AcquireAsync").SetResult(Grant());

        var acquire = front.AcquireAsync(Acquire with { Ttl = TimeSpan.FromDays(2) }).AsTask();
        Assert.IsType<Refusal.Unavailable>((await front.RenewAsync(Renew)).Refusal);
        Assert.Equal(["InfoAsync", "RenewAsync"], _host.Called);
        info.SetResult(new ServiceInfo
        {
            Version = "1", Engine = "test", Durable = false, Epoch = 0, Grace = TimeSpan.Zero, Limits = new LeaseLimits(),
        });

        Assert.Contains("ttlMs", Assert.IsType<Refusal.InvalidRequest>((await acquire).Refusal).Errors.Keys);
        Assert.DoesNotContain("AcquireAsync", _host.Called);
    }

    [Fact]
    public async Task ClosedHost_IsAskedForReleasesOnly()
    {
        _host.Closed = new Refusal.Unavailable(TimeSpan.Zero, "stopping");
        _host.Answer<LeaseRelease>("ReleaseAsync").SetResult(new LeaseRelease { Resource = "r", Token = 1, Replayed = false });

        Assert.Same(_host.Closed, (await _front.RenewAsync(Renew)).Refusal);
        Assert.Same(_host.Closed, (await _front.GetKeyAsync("k")).Refusal);
        var batch = await _front.RenewBatchAsync(new RenewBatchRequest { Leases = [Renew] });
        Assert.Same(_host.Closed, Assert.Single(batch.Value.Results).Refusal);
        Assert.Null((await _front.ReleaseAsync(new ReleaseRequest { Resource = "r", Owner = "me", Token = 1 })).Refusal);

        Assert.Equal(["ReleaseAsync"], _host.Called);
    }

    private static LeaseGrant Grant() => new()
    {
        Resource = "r", Owner = "me", Token = 7, Mode = LeaseMode.Exclusive, Ttl = TimeSpan.FromSeconds(10), RequestId = "id",
        Remaining = TimeSpan.FromSeconds(10), Elapsed = TimeSpan.Zero, RenewAfter = TimeSpan.FromSeconds(3), Replayed = false,
    };

    private sealed class Ending(TaskCompletionSource ended) : IDisposable
    {
        public void Dispose() => ended.SetResult();
    }

    /// <summary>A host by the names of its calls, so that a new verb needs no new line here.</summary>
    public class Host : DispatchProxy
    {
        private readonly Dictionary<string, object> _answers = [];
        private readonly Lock _gate = new();
        private readonly Dictionary<string, TaskCompletionSource> _calls = [];
        private readonly List<string> _called = [];

        public IReadOnlyList<string> Called
        {
            get
            {
                lock (_gate) return [.. _called];
            }
        }

        public Refusal? Closed { get; set; }

        public TaskCompletionSource<LeaseResult<T>> Answer<T>(string call)
            where T : class
        {
            var answer = new TaskCompletionSource<LeaseResult<T>>();
            _answers[call] = answer.Task;
            return answer;
        }

        /// <summary>What outlives a call goes on on another thread.</summary>
        public Task CalledAsync(string call)
        {
            lock (_gate) return CallsOf_NeedsLock(call).Task.WaitAsync(Limit, TimeProvider.System);
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            switch (targetMethod!.Name)
            {
                case "get_CallTimeout" or "get_BatchTimeout": return Timeout.InfiniteTimeSpan;
                case "get_Closed": return Closed;
                case "Explain": return null;
                default:
                    lock (_gate)
                    {
                        _called.Add(targetMethod.Name);
                        CallsOf_NeedsLock(targetMethod.Name).TrySetResult();
                    }

                    return _answers[targetMethod.Name];
            }
        }

        private TaskCompletionSource CallsOf_NeedsLock(string call)
        {
            if (!_calls.TryGetValue(call, out var calls)) _calls[call] = calls = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return calls;
        }
    }
}
