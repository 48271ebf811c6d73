using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Leases and keys in one host, with every step between them in the test's hands: each read and write of the store, each
/// question from one keeper to another and each clean-up waits until the test lets it go on, or go wrong. Single-threaded.
/// </summary>
internal sealed class KeyWorld : IKeepers, IKeyKeepers, IKeyCleaner, IKeeperAlarm
{
    private readonly Dictionary<string, LeaseKeeper> _leases = [];
    private readonly Dictionary<string, KeyKeeper> _keys = [];
    private readonly LeaseLimits _limits;
    private readonly string _name;
    private KeeperHost _host = null!;
    private int _runs;

    /// <param name="limits">The bounds of requests.</param>
    /// <param name="twin">Another host on the same store.</param>
    public KeyWorld(LeaseLimits? limits = null, KeyWorld? twin = null)
    {
        // Continuations must run on this thread, inside the call that completes them.
        SynchronizationContext.SetSynchronizationContext(null);
        _limits = limits ?? new();
        (_name, Time, Store) = twin is null ? ("run", new(), new()) : ("twin", twin.Time, twin.Store);
        Start();
    }

    public ManualTimeProvider Time { get; }

    public HeldStore Store { get; }

    /// <summary>The questions on their way from one keeper to another, oldest first.</summary>
    public List<Ask> Asks { get; } = [];

    /// <summary>The clean-ups that were handed out and are not done.</summary>
    public List<(string Resource, PendingCleanUp Ended)> CleanUps { get; } = [];

    public KeyOperations Calls { get; private set; } = null!;

    public void Set(Keeper keeper, TimeSpan at)
    {
    }

    public void CleanUp(string resource, PendingCleanUp ended)
    {
        if (!CleanUps.Exists(known => known.Resource == resource && known.Ended.Token == ended.Token)) CleanUps.Add((resource, ended));
    }

    public Task<LeaseResult<LeaseReply.Acknowledged>> AskLeaseAsync(string resource, LeaseCommand<LeaseReply.Acknowledged> command) =>
        Send(resource, command);

    public Task<LeaseResult<LeaseReply.AttachedKeys>> AskLeaseAsync(string resource, LeaseCommand.GetAttachedKeys command) =>
        Send(resource, command);

    public Task<LeaseResult<LeaseReply.ActiveTokens>> AskLeaseAsync(string resource, LeaseCommand.GetActiveTokens command) =>
        Send(resource, command);

    public Task<LeaseResult<KeyReply<KeyReply.Cleaned>>> AskKeyAsync(string key, KeyCommand.Clean command) => SubmitAsync(key, command);

    public Task<LeaseResult<KeyReply<KeyReply.Forgone>>> AskKeyAsync(string key, KeyCommand.Forgo command) => SubmitAsync(key, command);

    public Task<LeaseResult<KeyReply<TReply>>> SubmitAsync<TReply>(string key, KeyCommand<TReply> command)
        where TReply : KeyReply<TReply> => Send(command, () => Key(key, command));

    /// <summary>Asks a lease's keeper directly.</summary>
    public Task<LeaseResult<TReply>> Lease<TReply>(string resource, LeaseCommand<TReply> command)
        where TReply : class => LeaseOf(resource).Submit(command)!;

    public Task Lease(string resource, LeaseCommand command) => LeaseOf(resource).Submit(command)!;

    /// <summary>Asks a key's keeper directly.</summary>
    public Task<LeaseResult<KeyReply<TReply>>> Key<TReply>(string key, KeyCommand<TReply> command)
        where TReply : KeyReply<TReply> => KeyOf(key).Submit(command)!;

    public Task<LeaseResult<LeaseInfo>> Look(string resource) => Lease(resource, new LeaseCommand.Get(Fresh: false));

    /// <summary>Everything but the store is gone: nobody hears the answers under way, and writes may land yet.</summary>
    public void Crash()
    {
        Store.Orphan();
        Asks.Clear();
        CleanUps.Clear();
        _leases.Clear();
        _keys.Clear();
        Start();
    }

    /// <summary>What a sweeper does after a restart: wakes the leases and keys whose records are due.</summary>
    public void Sweep()
    {
        var now = _host.Clock.Read().Latest;
        foreach (var (resource, state) in Store.Leases)
        {
            if (LeaseMachine.DueWall(state) <= now) _ = LeaseOf(resource).Wake();
        }

        foreach (var (key, state) in Store.Keys)
        {
            if (state.Expiry?.EndsWall <= now) _ = KeyOf(key).Wake();
        }
    }

    /// <summary>Lets the first question of a kind be asked; its answer is still on the way.</summary>
    public Ask Start<TCommand>(Func<TCommand, bool>? which = null)
        where TCommand : class =>
        Started(Asks.First(ask => ask.Command is TCommand command && (which?.Invoke(command) ?? true)));

    /// <summary>Lets the first question of a kind be asked, the store answer, and the answer come back.</summary>
    public void Pass<TCommand>(Func<TCommand, bool>? which = null)
        where TCommand : class
        => Pass(Start(which));

    /// <summary>Lets a question be asked, the store answer, and the answer come back.</summary>
    public void Pass(Ask ask)
    {
        ask.Start();
        Store.AnswerAll();
        ask.Deliver();
    }

    /// <summary>Everything that is under way goes on to its end.</summary>
    public void Settle()
    {
        for (var i = 0; i < 10_000; i++)
        {
            if (!GoOn()) return;
        }

        Assert.Fail("The keepers never come to rest.");
    }

    /// <summary>One thing that is under way goes on. False where nothing is.</summary>
    public bool GoOn()
    {
        if (Store.Held.Count > 0) Store.Held[0].Answer();
        else if (Asks.Find(ask => !ask.IsStarted) is { } next) next.Start();
        else if (Asks.Find(ask => ask.IsAnswered) is { } answered) answered.Deliver();
        else return false;
        return true;
    }

    /// <summary>Does one clean-up: each key, then the lease. False where there is none.</summary>
    public bool CleanOne(int which = 0)
    {
        if (CleanUps.Count == 0) return false;
        var (resource, ended) = CleanUps[which % CleanUps.Count];
        CleanUps.RemoveAt(which % CleanUps.Count);
        var keys = ended.Keys.Select(key => (key, Answer: Key(key, new KeyCommand.Clean(resource, ended.Token)))).ToList();
        Store.AnswerAll();
        var cleaned = keys.Where(key => KeyAnswers.Is(key.Answer, KeyReply.Cleaned.Instance)).Select(key => key.key).ToList();
        var noted = Lease(resource, new LeaseCommand.CleanUpDone(ended.Token, cleaned));
        Store.AnswerAll();
        if (!KeyAnswers.Is(noted, LeaseReply.Acknowledged.Instance) || cleaned.Count < keys.Count) CleanUp(resource, ended);
        return true;
    }

    private LeaseKeeper LeaseOf(string resource)
    {
        if (!_leases.TryGetValue(resource, out var keeper)) _leases[resource] = keeper = new LeaseKeeper(resource, _host, Store);
        return keeper;
    }

    private KeyKeeper KeyOf(string key)
    {
        if (!_keys.TryGetValue(key, out var keeper)) _keys[key] = keeper = new KeyKeeper(key, _host, Store);
        return keeper;
    }

    private void Start()
    {
        var rules = MachineFixture.NewRules($"{_name}{++_runs}") with { Limits = _limits, RenewalFactor = 1, ClockSkew = TimeSpan.Zero };
        _host = new KeeperHost(new LeaseClock(Time), rules, this) { Cleaner = this };
        Calls = new KeyOperations(this, this, Time);
    }

    private static Ask Started(Ask ask)
    {
        ask.Start();
        return ask;
    }

    private Task<LeaseResult<TReply>> Send<TReply>(string resource, LeaseCommand<TReply> command)
        where TReply : class => Send(command, () => Lease(resource, command));

    private Task<LeaseResult<TReply>> Send<TReply>(object command, Func<Task<LeaseResult<TReply>>> send)
        where TReply : class
    {
        var ask = new Ask<TReply>(this, command, send);
        Asks.Add(ask);
        return ask.Reply;
    }

    /// <summary>A question from one keeper to another.</summary>
    internal abstract class Ask(object command)
    {
        public object Command => command;

        public abstract bool IsStarted { get; }

        public abstract bool IsAnswered { get; }

        public abstract void Start();

        public abstract void Deliver();
    }

    private sealed class Ask<TReply>(KeyWorld world, object command, Func<Task<LeaseResult<TReply>>> send) : Ask(command)
        where TReply : class
    {
        private readonly TaskCompletionSource<LeaseResult<TReply>> _reply = new();
        private Task<LeaseResult<TReply>>? _answer;

        public Task<LeaseResult<TReply>> Reply => _reply.Task;

        public override bool IsStarted => _answer is not null;

        public override bool IsAnswered => _answer is { IsCompleted: true };

        public override void Start() => _answer ??= send();

        public override void Deliver()
        {
            Assert.True(IsAnswered, $"{Command} has no answer yet.");
            world.Asks.Remove(this);
            _reply.SetResult(KeyAnswers.Result(_answer!));
        }
    }
}

/// <summary>Looks at answers that must be there.</summary>
internal static class KeyAnswers
{
    public static T Now<T>(Task answer) => KeeperFixture.Now<T>(answer);

    public static bool Is(Task answer, object expected) => Now<object>(answer).Equals(expected);

    public static LeaseResult<T> Result<T>(Task<LeaseResult<T>> answer)
        where T : class
    {
        Assert.True(answer.IsCompletedSuccessfully, $"There is no answer yet ({answer.Status}): {answer.Exception?.InnerException}");
#pragma warning disable xUnit1031 // It is complete: nothing is blocked on.
        return answer.Result;
#pragma warning restore xUnit1031
    }
}
