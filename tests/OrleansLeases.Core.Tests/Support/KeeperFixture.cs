using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>One keeper with a clock, a scripted store and an alarm that rings when the fixture moves time. Single-threaded.</summary>
internal sealed class KeeperFixture : IKeeperAlarm
{
    public const string Resource = MachineFixture.Resource;

    private readonly SortedSet<TimeSpan> _alarms = [];
    private LeaseKeeper _keeper;

    /// <param name="rules">The rules of its host.</param>
    /// <param name="store">Its store; one of its own where left out.</param>
    /// <param name="time">Its clock; one of its own where left out.</param>
    /// <param name="idleAfter">How long it stays in memory.</param>
    /// <param name="lends">What else its host lends it.</param>
    public KeeperFixture(
        LeaseRules? rules = null, ScriptedStore? store = null, ManualTimeProvider? time = null, TimeSpan? idleAfter = null,
        Func<KeeperHost, KeeperHost>? lends = null)
    {
        Store = store ?? new ScriptedStore();
        Time = time ?? new ManualTimeProvider();
        Rules = rules ?? MachineFixture.NewRules();
        var host = new KeeperHost(new LeaseClock(Time), Rules, this) { IdleAfter = idleAfter, Failed = TakeDown };
        Host = lends?.Invoke(host) ?? host;
        _keeper = NewKeeper();
    }

    public ScriptedStore Store { get; }

    public ManualTimeProvider Time { get; }

    public LeaseRules Rules { get; }

    public KeeperHost Host { get; }

    /// <summary>What the keeper had logged; each one's number is its id.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>How often an alarm was set.</summary>
    public int AlarmsSet { get; private set; }

    /// <summary>Whether alarms ring; without them nothing is wrong, only later.</summary>
    public bool AlarmsRing { get; set; } = true;

    public LeaseState Stored => Store.Read(Resource);

    public LeaseKeeper Keeper
    {
        get
        {
            // Continuations must run on this thread, inside the call that completes them.
            SynchronizationContext.SetSynchronizationContext(null);
            return _keeper;
        }
    }

    public void Set(Keeper keeper, TimeSpan at)
    {
        AlarmsSet++;
        _alarms.Add(at);
    }

    private string TakeDown(string what, Exception error)
    {
        Failures.Add($"{what}: {error.Message}");
        return $"{Failures.Count}";
    }

    /// <summary>The same resource in a keeper that knows nothing, as after a restart within the host.</summary>
    public void Forget() => _keeper = NewKeeper();

    private LeaseKeeper NewKeeper() => new(Resource, Host, Store.For(Rules.Incarnation));

    public Task Do<TReply>(LeaseCommand<TReply> command, CancellationToken cancellation = default)
        where TReply : class =>
        Keeper.Submit(command, cancellation) ?? throw new InvalidOperationException("The keeper has retired.");

    public Task Acquire(AcquireRequest request, CancellationToken cancellation = default) => Do(LeaseCommand.Of(request), cancellation);

    public Task Renew(long token, string owner = "me", double? ttl = null) => Keeper.Ask(LeaseCommand.Of(new RenewRequest
    {
        Resource = Resource,
        Owner = owner,
        Token = token,
        Ttl = ttl is { } seconds ? MachineFixture.Seconds(seconds) : null,
    })) ?? throw new InvalidOperationException("The keeper has retired.");

    public Task Release(long token, string owner = "me", bool undelivered = false) =>
        Do(new LeaseCommand.Release(new ReleaseRequest { Resource = Resource, Owner = owner, Token = token }, undelivered));

    public Task Break(long? token, double grace, bool force = false, string id = "break") => Do(LeaseCommand.Of(new BreakRequest
    {
        Resource = Resource,
        Token = token,
        Grace = MachineFixture.Seconds(grace),
        Force = force,
        Reason = "upkeep",
        RequestId = id,
    }));

    /// <summary>Acquires and expects the grant at once.</summary>
    public LeaseGrant Grant(string owner = "me", double ttl = 10, string? id = null) =>
        Now<LeaseGrant>(Acquire(MachineFixture.Ask(owner, ttl, id)));

    public LeaseInfo Info(bool fresh = false) => Now<LeaseInfo>(Do(new LeaseCommand.Get(fresh)));

    /// <summary>The answer, which must be there by now and of this kind.</summary>
    public static T Now<T>(Task answer)
    {
        Assert.True(answer.IsCompletedSuccessfully, $"There is no answer yet ({answer.Status}): {answer.Exception?.InnerException}");
        return Assert.IsType<T>(Content(answer), exactMatch: false);
    }

    /// <summary>The reply or the refusal of a call that is complete; tests look at calls of all kinds alike.</summary>
    public static object Content(Task answer) => answer switch
    {
        Task<LeaseResult<LeaseGrant>> grant => Content(grant),
        Task<LeaseResult<LeaseRenewal>> renewal => Content(renewal),
        Task<LeaseResult<LeaseRelease>> release => Content(release),
        Task<LeaseResult<LeaseBreak>> order => Content(order),
        Task<LeaseResult<LeaseInfo>> info => Content(info),
        Task<LeaseResult<LeaseWatch>> watch => Content(watch),
        Task<LeaseResult<LeaseHistory>> history => Content(history),
        Task<LeaseResult<LeaseReply.Acknowledged>> noted => Content(noted),
        Task<LeaseResult<LeaseReply.ActiveTokens>> tokens => Content(tokens),
        Task<LeaseResult<LeaseReply.AttachedKeys>> keys => Content(keys),
        Task<LeaseResult<LeaseReply.Unchanged>> seen => Content(seen),
        Task<LeaseResult<KeyReply<KeyReply.Found>>> found => Content(found),
        Task<LeaseResult<KeyReply<KeyReply.Written>>> written => Content(written),
        Task<LeaseResult<KeyReply<KeyReply.Deleted>>> deleted => Content(deleted),
        Task<LeaseResult<KeyReply<KeyReply.Cleaned>>> cleaned => Content(cleaned),
        Task<LeaseResult<KeyReply<KeyReply.Forgone>>> forgone => Content(forgone),
        Task<LeaseResult<KeyReply<KeyReply.Watched>>> watched => Content(watched),
        _ => throw new ArgumentOutOfRangeException(nameof(answer), answer, "There is no such call."),
    };

    private static object Content<TReply>(Task<LeaseResult<TReply>> answer)
        where TReply : class
    {
#pragma warning disable xUnit1031 // It is complete: nothing is blocked on.
        return answer.Result.TryGetValue(out var reply, out var refusal) ? reply : refusal;
#pragma warning restore xUnit1031
    }

    /// <summary>Moves time on. Alarms on the way ring each at its moment.</summary>
    public void Advance(double seconds) => Advance(MachineFixture.Seconds(seconds));

    public void Advance(TimeSpan by)
    {
        var end = Time.Elapsed + by;
        var rings = 0;
        while (AlarmsRing && _alarms.Count > 0 && _alarms.Min is var at && at <= end)
        {
            _alarms.Remove(at);
            Assert.True(++rings < 10_000, "The keeper sets alarms for ever and nothing comes of it.");
            if (at > Time.Elapsed) Time.Advance(at - Time.Elapsed);
            if (!Keeper.OnAlarm(at)) _ = Keeper.Wake();
        }

        if (end > Time.Elapsed) Time.Advance(end - Time.Elapsed);
    }
}
