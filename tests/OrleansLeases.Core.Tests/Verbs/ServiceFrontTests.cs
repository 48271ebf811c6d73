using System.Reflection;
using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests.Verbs;

/// <summary>What the front does for every verb, before a host that answers when the test says so.</summary>
public sealed class ServiceFrontTests
{
    private static readonly AcquireRequest Acquire = new() { Resource = "r", Owner = "me", Ttl = TimeSpan.FromSeconds(10) };
    private static readonly RenewRequest Renew = new() { Resource = "r", Owner = "me", Token = 1 };

    // Only a defect lets a test wait this long.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly ManualTimeProvider _time = new();
    private readonly Host _host;
    private readonly ServiceFront _front;

    public ServiceFrontTests()
    {
        var host = DispatchProxy.Create<IServiceHost, Host>();
        _host = (Host)(object)host;
        _front = new ServiceFront(host, new LeaseLimits(), _time) { RealTime = _time };
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
    public async Task Acquire_RepeatedAndCancelledBeforeItsAnswer_IsNotGivenBack()
    {
        using var gone = new CancellationTokenSource();
        var repeat = _host.Answer<LeaseGrant>("AcquireAsync", "repeated");
        var grant = _host.Answer<LeaseGrant>("AcquireAsync");
        _host.Answer<LeaseRelease>("GiveBackAsync").SetResult(new LeaseRelease { Resource = "r", Token = 8 });
        var calls = new[] { Acquire with { Resource = "repeated" }, Acquire }
            .Select(request => _front.AcquireAsync(request, gone.Token).AsTask()).ToArray();

        await gone.CancelAsync();
        foreach (var call in calls) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        // What becomes of an answer goes on where it is given, so the first has been seen to once the second is given back.
        repeat.SetResult(Grant() with { Replayed = true });
        grant.SetResult(Grant() with { Token = 8 });

        await _host.CalledAsync("GiveBackAsync");
        Assert.Equal([8L], _host.GivenBack);
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
        var front = new ServiceFront((IServiceHost)(object)_host, limits: null, _time);
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

    // A host that did not answer may have done what it was asked.
    [Theory]
    [InlineData("AcquireAsync", true)]
    [InlineData("TransferAsync", true)]
    [InlineData("BreakAsync", true)]
    [InlineData("RenewAsync", true)]
    [InlineData("ReleaseAsync", true)]
    [InlineData("GetAsync", false)]
    [InlineData("HistoryAsync", false)]
    public async Task Call_ThatIsNotAnswered_IsUnknownWhereItChangesSomething(string call, bool isChange)
    {
        _host.Throw(call, new TimeoutException());

        var refusal = call switch
        {
            "AcquireAsync" => (await _front.AcquireAsync(Acquire with { RequestId = "id" })).Refusal,
            "TransferAsync" => (await _front.TransferAsync(
                new TransferRequest { Resource = "r", Owner = "me", Token = 1, NewOwner = "you", RequestId = "id" })).Refusal,
            "BreakAsync" => (await _front.BreakAsync(
                new BreakRequest { Resource = "r", Grace = TimeSpan.Zero, Reason = "upkeep", RequestId = "id" })).Refusal,
            "RenewAsync" => (await _front.RenewAsync(Renew)).Refusal,
            "ReleaseAsync" => (await _front.ReleaseAsync(new ReleaseRequest { Resource = "r", Owner = "me", Token = 1 })).Refusal,
            "GetAsync" => (await _front.GetAsync(new GetLeaseRequest { Resource = "r" })).Refusal,
            _ => (await _front.HistoryAsync("r")).Refusal,
        };

        var requestId = call is "RenewAsync" or "ReleaseAsync" ? null : "id";
        if (isChange) Assert.Equal(requestId, Assert.IsType<Refusal.OutcomeUnknown>(refusal).RequestId);
        else Assert.IsType<Refusal.Unavailable>(refusal);
    }

    // A holder adds it to what is left of each: of those that were quick, the time of a slow one would be too much.
    [Fact]
    public async Task RenewBatch_TellsTheLeastTimeThatAnyOfItsRenewalsTook()
    {
        var quick = _host.Answer<LeaseRenewal>("RenewAsync", "quick");
        var slow = _host.Answer<LeaseRenewal>("RenewAsync", "slow");

        var batch = _front.RenewBatchAsync(
            new RenewBatchRequest { Leases = [Renew with { Resource = "quick" }, Renew with { Resource = "slow" }] }).AsTask();
        quick.SetResult(Renewal(elapsed: 1));
        _time.Advance(TimeSpan.FromSeconds(7));
        slow.SetResult(Renewal(elapsed: 5));

        Assert.Equal(TimeSpan.FromSeconds(1), (await batch.WaitAsync(Limit, TimeProvider.System)).Value.Elapsed);
    }

    [Fact]
    public async Task RenewBatch_OneOfWhichHangs_TellsTheOthersInTime()
    {
        _host.BatchTimeout = TimeSpan.FromSeconds(2);
        var renewed = Renewal(elapsed: 0);
        _host.Answer<LeaseRenewal>("RenewAsync").SetResult(renewed);
        _host.Answer<LeaseRenewal>("RenewAsync", "hangs");

        var batch = _front.RenewBatchAsync(new RenewBatchRequest { Leases = [Renew, Renew with { Resource = "hangs" }] }).AsTask();
        _time.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.False(batch.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));

        var results = (await batch.WaitAsync(Limit, TimeProvider.System)).Value.Results;
        Assert.Same(renewed, results[0].Value);
        Assert.IsType<Refusal.OutcomeUnknown>(results[1].Refusal);
    }

    [Fact]
    public async Task Batch_StartsTheCallsOfOneName_OneAfterTheOther()
    {
        var acquire = _host.Answer<LeaseGrant>("AcquireAsync");
        _host.Answer<LeaseInfo>("GetAsync").SetResult(new Refusal.Unavailable(TimeSpan.Zero, "moving"));
        _host.Answer<LeaseRenewal>("RenewAsync").SetResult(new Refusal.Unavailable(TimeSpan.Zero, "moving"));
        _host.Answer<KeyValue>("GetKeyAsync").SetResult(new Refusal.NotFound("none"));

        var batch = _front.BatchAsync(Batch(
            new BatchOperation.Acquire(Acquire), new BatchOperation.Renew(Renew), new BatchOperation.GetKey("r"),
            new BatchOperation.Get(new GetLeaseRequest { Resource = "other" }))).AsTask();

        Assert.Equal(["AcquireAsync", "GetKeyAsync", "GetAsync"], _host.Called);
        acquire.SetResult(Grant());
        Assert.Equal(7, (await batch).Value.Results[0].As<LeaseGrant>().Value.Token);
        Assert.Equal("RenewAsync", _host.Called[^1]);
    }

    [Fact]
    public async Task Batch_WithACallThatIsNotAnswered_AnswersTheOthers()
    {
        _host.Answer<LeaseGrant>("AcquireAsync");
        _host.Answer<KeyValue>("GetKeyAsync");
        _host.Answer<LeaseRelease>("ReleaseAsync").SetResult(new LeaseRelease { Resource = "other", Token = 1 });

        var batch = _front.BatchAsync(Batch(
            new BatchOperation.Acquire(Acquire with { RequestId = "id" }), new BatchOperation.Renew(Renew), new BatchOperation.GetKey("k"),
            new BatchOperation.Release(new ReleaseRequest { Resource = "other", Owner = "me", Token = 1 }))).AsTask();
        _time.Advance(TimeSpan.FromSeconds(2));
        var results = (await batch.WaitAsync(Limit, TimeProvider.System)).Value.Results;

        Assert.Equal("id", Assert.IsType<Refusal.OutcomeUnknown>(results[0].Refusal).RequestId);
        Assert.Contains("not begun", Assert.IsType<Refusal.Unavailable>(results[1].Refusal).Detail, StringComparison.Ordinal);
        Assert.Contains("too late", Assert.IsType<Refusal.Unavailable>(results[2].Refusal).Detail, StringComparison.Ordinal);
        Assert.Null(results[3].Refusal);
        Assert.DoesNotContain("RenewAsync", _host.Called);
    }

    [Fact]
    public async Task Batch_CancelledBeforeAllAnswers_GivesBackWhatWasGranted()
    {
        using var gone = new CancellationTokenSource();
        var late = _host.Answer<LeaseGrant>("AcquireAsync");
        var givenBack = _host.Answer<LeaseRelease>("GiveBackAsync");
        givenBack.SetResult(new LeaseRelease { Resource = "r", Token = 7 });
        _host.Answer<LeaseGrant>("AcquireAsync", "granted").SetResult(Grant());
        _host.Answer<LeaseGrant>("AcquireAsync", "replayed").SetResult(Grant() with { Replayed = true });
        _host.Answer<LeaseGrant>("TransferAsync").SetResult(Grant());

        var batch = _front.BatchAsync(
            Batch(
                new BatchOperation.Acquire(Acquire), new BatchOperation.Renew(Renew),
                new BatchOperation.Acquire(Acquire with { Resource = "granted" }),
                new BatchOperation.Acquire(Acquire with { Resource = "replayed" }),
                new BatchOperation.Transfer(new TransferRequest { Resource = "t", Owner = "me", Token = 1, NewOwner = "you" })),
            gone.Token).AsTask();
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => batch);
        await _host.CalledAsync("GiveBackAsync");
        late.SetResult(Grant());
        await _host.CalledAsync("GiveBackAsync", times: 2);
        Assert.DoesNotContain("RenewAsync", _host.Called);
    }

    private static BatchRequest Batch(params BatchOperation[] operations) => new() { Operations = operations };

    private static LeaseGrant Grant() => new()
    {
        Resource = "r", Owner = "me", Token = 7, Mode = LeaseMode.Exclusive, Ttl = TimeSpan.FromSeconds(10), RequestId = "id",
        Remaining = TimeSpan.FromSeconds(10), Elapsed = TimeSpan.Zero, RenewAfter = TimeSpan.FromSeconds(3), Replayed = false,
    };

    private static LeaseRenewal Renewal(double elapsed) => new()
    {
        Resource = "r", Token = 1, Ttl = TimeSpan.FromSeconds(10), Remaining = TimeSpan.FromSeconds(10),
        Elapsed = TimeSpan.FromSeconds(elapsed), RenewAfter = TimeSpan.FromSeconds(3),
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
        private readonly Dictionary<(string Call, int Times), TaskCompletionSource> _calls = [];
        private readonly List<string> _called = [];
        private readonly List<long> _givenBack = [];

        public IReadOnlyList<string> Called
        {
            get
            {
                lock (_gate) return [.. _called];
            }
        }

        public IReadOnlyList<long> GivenBack
        {
            get
            {
                lock (_gate) return [.. _givenBack];
            }
        }

        public Refusal? Closed { get; set; }

        public TimeSpan BatchTimeout { get; set; } = Timeout.InfiniteTimeSpan;

        public TaskCompletionSource<LeaseResult<T>> Answer<T>(string call, string? resource = null)
            where T : class
        {
            var answer = new TaskCompletionSource<LeaseResult<T>>();
            _answers[call + resource] = answer.Task;
            return answer;
        }

        /// <summary>Has a call throw.</summary>
        public void Throw(string call, Exception error) => _answers[call] = error;

        /// <summary>What outlives a call goes on on another thread.</summary>
        public Task CalledAsync(string call, int times = 1)
        {
            lock (_gate) return CallsOf_NeedsLock(call, times).Task.WaitAsync(Limit, TimeProvider.System);
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            switch (targetMethod!.Name)
            {
                case "get_CallTimeout": return Timeout.InfiniteTimeSpan;
                case "get_BatchTimeout": return BatchTimeout;
                case "get_Closed": return Closed;
                case "Explain":
                    return args![0] is not TimeoutException ? null
                        : args[1] is true ? new Refusal.OutcomeUnknown((string?)args[2], "too late")
                        : new Refusal.Unavailable(TimeSpan.Zero, "too late");
                default:
                    lock (_gate)
                    {
                        _called.Add(targetMethod.Name);
                        if (args is [LeaseGrant grant]) _givenBack.Add(grant.Token);
                        CallsOf_NeedsLock(targetMethod.Name, _called.Count(name => name == targetMethod.Name)).TrySetResult();
                    }

                    var resource = args?.FirstOrDefault() switch
                    {
                        AcquireRequest acquire => acquire.Resource,
                        RenewRequest renewal => renewal.Resource,
                        _ => null,
                    };
                    var answer = _answers.GetValueOrDefault(targetMethod.Name + resource) ?? _answers[targetMethod.Name];
                    if (answer is Exception error) throw error;
                    return answer is Task<LeaseResult<LeaseRenewal>> renewed ? new ValueTask<LeaseResult<LeaseRenewal>>(renewed) : answer;
            }
        }

        private TaskCompletionSource CallsOf_NeedsLock(string call, int times)
        {
            if (!_calls.TryGetValue((call, times), out var calls))
                _calls[(call, times)] = calls = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return calls;
        }
    }
}
