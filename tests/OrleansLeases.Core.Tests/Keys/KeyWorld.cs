using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>
/// Leases and keys in one host, with every step between them in the test's hands: each read and write of the store, each
/// question from one keeper to another and each clean-up waits until the test lets it go on, or go wrong. Single-threaded.
/// </summary>
internal sealed class KeyWorld : IKeepers, IKeyCleaner, IKeeperAlarm
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

    public KeyCalls Calls { get; private set; } = null!;

    public void Set(Keeper keeper, TimeSpan at)
    {
    }

    public void CleanUp(string resource, PendingCleanUp ended)
    {
        if (!CleanUps.Exists(known => known.Resource == resource && known.Ended.Token == ended.Token)) CleanUps.Add((resource, ended));
    }

    public Task<object> AskLeaseAsync(string resource, LeaseCommand command) => Send(command, () => Lease(resource, command));

    public Task<object> AskKeyAsync(string key, KeyCommand command) => Send(command, () => Key(key, command));

    /// <summary>Asks a lease's keeper directly.</summary>
    public Task<object> Lease(string resource, LeaseCommand command) => LeaseOf(resource).Submit(command)!;

    /// <summary>Asks a key's keeper directly.</summary>
    public Task<object> Key(string key, KeyCommand command)
    {
        if (!_keys.TryGetValue(key, out var keeper)) _keys[key] = keeper = new KeyKeeper(key, _host, Store);
        return keeper.Submit(command)!;
    }

    public Task<object> Look(string resource) => LeaseOf(resource).Get(fresh: false)!;

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

    /// <summary>What a sweeper does after a restart: wakes the leases whose records are due.</summary>
    public void Sweep()
    {
        foreach (var (resource, state) in Store.Leases)
        {
            if (LeaseMachine.DueWall(state) <= _host.Clock.Read().Late) _ = LeaseOf(resource).Wake();
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
        var cleaned = keys.Where(key => KeyBench.Is(key.Answer, KeyReply.Cleaned.Instance)).Select(key => key.key).ToList();
        var noted = Lease(resource, new LeaseCommand.CleanUpDone(ended.Token, cleaned));
        Store.AnswerAll();
        if (!KeyBench.Is(noted, LeaseReply.Noted.Instance) || cleaned.Count < keys.Count) CleanUp(resource, ended);
        return true;
    }

    private LeaseKeeper LeaseOf(string resource)
    {
        if (!_leases.TryGetValue(resource, out var keeper)) _leases[resource] = keeper = new LeaseKeeper(resource, _host);
        return keeper;
    }

    private void Start()
    {
        var rules = MachineBench.NewRules($"{_name}{++_runs}") with { Limits = _limits, RenewalFactor = 1, ClockSkew = TimeSpan.Zero };
        _host = new KeeperHost(Store, new LeaseClock(Time), rules, this) { Cleaner = this };
        Calls = new KeyCalls(this, Time);
    }

    private static Ask Started(Ask ask)
    {
        ask.Start();
        return ask;
    }

    private Task<object> Send(object command, Func<Task<object>> send)
    {
        var ask = new Ask(this, command, send);
        Asks.Add(ask);
        return ask.Reply;
    }

    /// <summary>A question from one keeper to another.</summary>
    internal sealed class Ask(KeyWorld world, object command, Func<Task<object>> send)
    {
        private readonly TaskCompletionSource<object> _reply = new();
        private Task<object>? _answer;

        public object Command => command;

        public Task<object> Reply => _reply.Task;

        public bool IsStarted => _answer is not null;

        public bool IsAnswered => _answer is { IsCompleted: true };

        public void Start() => _answer ??= send();

        public void Deliver()
        {
            Assert.True(IsAnswered, $"{command} has no answer yet.");
            world.Asks.Remove(this);
            _reply.SetResult(KeyBench.Now<object>(_answer!));
        }
    }
}

/// <summary>Looks at answers that must be there.</summary>
internal static class KeyBench
{
    public static T Now<T>(Task<object> answer) => KeeperBench.Now<T>(answer);

    public static bool Is(Task<object> answer, object expected) => Now<object>(answer).Equals(expected);

    public static LeaseResult<T> Result<T>(Task<LeaseResult<T>> answer)
        where T : class
    {
        Assert.True(answer.IsCompletedSuccessfully, $"There is no answer yet ({answer.Status}): {answer.Exception?.InnerException}");
#pragma warning disable xUnit1031 // It is complete: nothing is blocked on.
        return answer.Result;
#pragma warning restore xUnit1031
    }
}
