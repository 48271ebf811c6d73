using System.Reflection;
using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests.Access;

/// <summary>Whom the quotas go on counting for, and how often they look at what they count.</summary>
public sealed class CallerQuotasTests
{
    private static readonly TimeSpan Idle = TimeSpan.FromHours(1);
    private static readonly Demand Get = new("jobs/1");
    private static readonly Demand Acquire = Demand.Of(new AcquireRequest { Resource = "jobs/1", Owner = "ci", Ttl = Idle });

    private readonly ManualTimeProvider _time = new();
    private readonly Host _host;
    private readonly CallerQuotas _quotas;

    public CallerQuotasTests()
    {
        var host = DispatchProxy.Create<IServiceHost, Host>();
        _host = (Host)(object)host;
        _quotas = new CallerQuotas(host, _time);
    }

    [Fact]
    public async Task Principal_ThatIsIdleAndHasNothing_IsForgotten()
    {
        var rights = Rights(new QuotaRule { Prefix = "", Leases = 10 });
        foreach (var name in new[] { "ann", "bob" })
        {
            await _quotas.TakeAsync(Caller(name, rights), rights, Get);
            _quotas.Leave(Caller(name, rights), rights, Get, isChange: false);
        }

        _time.Advance(Idle / 2);
        await _quotas.TakeAsync(Caller("bob", rights), rights, Get);
        await _quotas.ForgetIdleAsync();
        Assert.Equal(2, _quotas.Count);

        _time.Advance(Idle / 2);
        await _quotas.ForgetIdleAsync();
        Assert.Equal(1, _quotas.Count);
    }

    [Fact]
    public async Task Principal_WithALease_IsForgottenOnceThatHasEnded()
    {
        var rights = Rights(new QuotaRule { Prefix = "", Leases = 1 });
        var caller = Caller("ci", rights);
        await _quotas.TakeAsync(caller, rights, Acquire);
        // It may have been granted: nobody saw the answer.
        _quotas.Leave(caller, rights, Acquire, isChange: true);

        _host.IsHeld = true;
        _time.Advance(Idle);
        await _quotas.ForgetIdleAsync();
        Assert.Equal(1, _quotas.Count);
        Assert.IsType<Refusal.LimitReached>(await _quotas.TakeAsync(caller, rights, Acquire));

        _host.IsHeld = false;
        _time.Advance(2 * Idle);
        await _quotas.ForgetIdleAsync();
        Assert.Equal(0, _quotas.Count);
        Assert.Null(await _quotas.TakeAsync(caller, rights, Acquire));
    }

    [Fact]
    public async Task Principal_WithAnOpenWatch_IsNotForgotten()
    {
        var rights = Rights(new QuotaRule { Prefix = "", Watches = 1 });
        var caller = Caller("ci", rights);
        var watch = Demand.Of(new WatchRequest { Prefix = "" });
        await _quotas.TakeAsync(caller, rights, watch);

        _time.Advance(Idle);
        await _quotas.ForgetIdleAsync();

        Assert.IsType<Refusal.LimitReached>(await _quotas.TakeAsync(caller, rights, watch));
    }

    [Fact]
    public async Task Calls_HaveTheIdleForgotten()
    {
        var rights = Rights(new QuotaRule { Prefix = "", Leases = 10 });
        await _quotas.TakeAsync(Caller("ann", rights), rights, Acquire);
        _quotas.Leave(Caller("ann", rights), rights, Acquire, isChange: true);
        _host.IsHeld = true;

        _time.Advance(Idle);
        await _quotas.TakeAsync(Caller("bob", rights), rights, Get);

        await _host.LookedAtALease.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Idle_AreLookedAtByOneAtATime_HoweverLongThatTakes()
    {
        var rights = Rights(new QuotaRule { Prefix = "", Leases = 10 });
        await _quotas.TakeAsync(Caller("ann", rights), rights, Acquire);
        _quotas.Leave(Caller("ann", rights), rights, Acquire, isChange: true);
        (_host.IsHeld, _host.GoOn) = (true, new(TaskCreationOptions.RunContinuationsAsynchronously));

        _time.Advance(Idle);
        await _quotas.TakeAsync(Caller("bob", rights), rights, Get);
        await _host.LookedAtALease.Task.WaitAsync(TimeSpan.FromSeconds(60));
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(2));
            await _quotas.TakeAsync(Caller("bob", rights), rights, Get);
            // What would run beside it has begun by then.
            for (var other = 0; other < 100; other++) await Task.Yield();
        }

        Assert.Equal(1, _host.LeasesLookedAt);
        _host.GoOn.SetResult();
    }

    [Fact]
    public async Task Keys_ThatAreStillThere_AreLookedAtLessAndLess()
    {
        var rights = Rights(new QuotaRule { Prefix = "", Keys = 1 });
        var caller = Caller("ci", rights);
        await _quotas.TakeAsync(caller, rights, Demand.Of("a", "1"));
        _quotas.Leave(caller, rights, Demand.Of("a", "1"), isChange: true);

        for (var i = 0; i < 100; i++)
        {
            Assert.IsType<Refusal.LimitReached>(await _quotas.TakeAsync(caller, rights, Demand.Of("b", "1")));
            _time.Advance(TimeSpan.FromSeconds(0.1));
        }

        // After 0.1, 0.2, 0.4, 0.8, 1.6, 3.2 s and then every 3.2 s, and not a hundred times.
        Assert.Equal(8, _host.KeysLookedAt);
        _host.HasKeys = false;
        _time.Advance(TimeSpan.FromSeconds(3.2));
        Assert.Null(await _quotas.TakeAsync(caller, rights, Demand.Of("b", "1")));
    }

    private static AccessRights Rights(QuotaRule quota) => new("ci", [], [quota]);

    private static LeaseCaller Caller(string principal, AccessRights rights) => new(principal, () => rights);

    /// <summary>Has one lease, where that is held, and every key.</summary>
#pragma warning disable CA1852 // The proxy derives from it.
    private class Host : DispatchProxy
#pragma warning restore CA1852
    {
        public bool IsHeld { get; set; }

        public bool HasKeys { get; set; } = true;

        public int KeysLookedAt { get; private set; }

        public int LeasesLookedAt { get; private set; }

        public TaskCompletionSource? GoOn { get; set; }

        public TaskCompletionSource LookedAtALease { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override object Invoke(MethodInfo? method, object?[]? arguments) => method!.Name switch
        {
            nameof(IServiceHost.GetAsync) => GetAsync((GetLeaseRequest)arguments![0]!),
            nameof(IServiceHost.GetKeyAsync) => GetKeyAsync((string)arguments![0]!),
            _ => throw new NotSupportedException(method.Name),
        };

        private async Task<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request)
        {
            LeasesLookedAt++;
            LookedAtALease.TrySetResult();
            if (GoOn is { } goOn) await goOn.Task;
            LeaseHolder holder = new()
            {
                Owner = "ci", Token = 7, Mode = LeaseMode.Exclusive, Ttl = Idle, Remaining = Idle,
                Metadata = new Dictionary<string, string>(), Keys = [],
            };
            return new LeaseInfo
            {
                Resource = request.Resource, State = IsHeld ? LeaseStatus.Held : LeaseStatus.Free, Holders = IsHeld ? [holder] : [],
                LastToken = 7, Waiters = 0, Sequence = 1,
            };
        }

        private Task<LeaseResult<KeyValue>> GetKeyAsync(string key)
        {
            KeysLookedAt++;
            return Task.FromResult<LeaseResult<KeyValue>>(
                HasKeys ? new KeyValue { Key = key, Value = "1", Version = 1 } : new Refusal.NotFound("It is not there."));
        }
    }
}
