using System.Diagnostics.CodeAnalysis;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>
/// One agent, for as long as it is connected: its name as an owner, the leases that it holds, which are renewed meanwhile, the queues
/// that it waits in, and what it has lost. Thread-safe.
/// </summary>
/// <param name="service">The service, to which the agent comes with its own credential.</param>
/// <param name="whoAmI">Asks the service who the agent is.</param>
/// <param name="ownerBase">What its name begins with; null for its principal, or this machine where nobody is asked who is calling.</param>
/// <param name="ttl">How long its leases live without renewal.</param>
/// <param name="time">The clock.</param>
internal sealed class AgentSession(
    ILeaseService service, Func<CancellationToken, ValueTask<LeaseResult<CallerInfo>>> whoAmI, string? ownerBase, TimeSpan ttl,
    TimeProvider time) : IAsyncDisposable
{
    /// <summary>How many names an agent may hold, wait for and have lost, together: each response lists all losses.</summary>
    public const int MostNames = 200;

    private const int MostQueues = 100;
    private const int LongestName = 40;

    // Less than a server has to stop.
    private static readonly TimeSpan GivingBack = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _starting = new(1);
    private readonly Dictionary<string, AgentLease> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, QueuedAcquire> _queued = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LostLease> _lost = new(StringComparer.Ordinal);
    private readonly HashSet<Task> _underWay = [];
    private readonly CancellationTokenSource _over = new();
    private LeaseClient? _client;
    private Task? _end;

    /// <summary>The session of an agent that calls by a connection.</summary>
    public AgentSession(ServerConnection connection, McpSettings settings)
        : this(connection.Service, connection.WhoAmIAsync, settings.Owner, settings.Ttl, TimeProvider.System)
    {
    }

    public ILeaseService Service => service;

    public LeaseClient Client => _client ?? throw new InvalidOperationException("The session has not started.");

    public TimeProvider Time => time;

    /// <summary>Entered for each acquire: two calls at once that ask for one name would find it held by their own session.</summary>
    public SemaphoreSlim AcquiresOneAtATime { get; } = new(1);

    /// <summary>Entered for each claim of a task, for the same reason.</summary>
    public SemaphoreSlim ClaimsOneAtATime { get; } = new(1);

    /// <summary>Under what name its leases are held.</summary>
    public string Owner => Client.Owner;

    /// <summary>Finds out who the agent is, before its first call.</summary>
    /// <param name="agent">What its program calls itself; null where it says nothing.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Why it may not call; null where it may.</returns>
    public async ValueTask<Refusal?> StartAsync(string? agent, CancellationToken cancellationToken)
    {
        if (_client is not null) return null;
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_client is not null) return null;
            var asked = await whoAmI(cancellationToken);
            if (!asked.TryGetValue(out var caller, out var refusal)) return refusal;
            var above = ownerBase ?? (caller.Principal == Callers.Anonymous ? Environment.MachineName : caller.Principal);
            var owner = $"{above}/{NameOf(agent)}-{Guid.NewGuid().ToString("N")[..8]}";
            lock (_gate)
            {
                // What the end of the session does not see, nobody ends.
                ThrowIfOver_NeedsLock();
                _client = new(Service, new() { Owner = owner }, time);
            }

            return null;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>The kind of lease to ask for.</summary>
    public LeaseOptions OptionsOf(bool shared, int? capacity, string? purpose, TimeSpan? maxHold) => new()
    {
        Ttl = ttl,
        Owner = Owner,
        Mode = shared ? LeaseMode.Shared : LeaseMode.Exclusive,
        Capacity = capacity,
        MaxHold = maxHold,
        Metadata = purpose is null ? null : new Dictionary<string, string> { ["purpose"] = purpose },
    };

    /// <summary>Makes a call of the agent, which ends with the session at the latest.</summary>
    /// <param name="call">The call.</param>
    /// <param name="gone">Cancelled when the agent does not hear its answer.</param>
    /// <param name="cancellationToken">Cancelled when the agent has cancelled it.</param>
    public async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken gone, CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, gone, cancellationToken);
        var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ends.Token.ThrowIfCancellationRequested();
            ThrowIfOver_NeedsLock();
            GoOn_NeedsLock(made.Task);
        }

        try
        {
            return await call(ends.Token);
        }
        finally
        {
            made.SetResult();
        }
    }

    /// <summary>The lease on a resource, where the agent holds it.</summary>
    public bool TryGetHeld(string resource, [NotNullWhen(true)] out AgentLease? lease)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            TakeGrant_NeedsLock(resource);
            return _held.TryGetValue(resource, out lease);
        }
    }

    /// <summary>As <see cref="TryGetHeld"/>, for a call that answers with it: see <see cref="Answered"/>.</summary>
    public AgentLease? ToAnswerWith(string resource)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            TakeGrant_NeedsLock(resource);
            if (_held.TryGetValue(resource, out var lease)) lease.Answers++;
            return lease;
        }
    }

    /// <summary>Keeps a lease until it is released, lost, or the session ends, for a call that answers with it.</summary>
    /// <returns>The lease; null where the session is over, and the lease has to be released.</returns>
    public AgentLease? Keep(LeaseHandle handle)
    {
        lock (_gate)
        {
            if (_end is not null) return null;
            var lease = Keep_NeedsLock(handle);
            lease.Answers++;
            return lease;
        }
    }

    /// <summary>Says what became of the answer of a call.</summary>
    /// <param name="lease">The lease that it was about.</param>
    /// <param name="isTold">Whether the agent was told that it holds it.</param>
    /// <returns>Whether the session goes on with the lease. Where not, nobody knows of it, and it has to be released.</returns>
    public bool Answered(AgentLease lease, bool isTold)
    {
        lock (_gate)
        {
            lease.Answers--;
            lease.IsTold |= isTold;
            if (lease.IsTold || lease.Answers > 0 || !Forget_NeedsLock(lease)) return true;
            // The loss before it is untold, too.
            if (lease.Before is { } lost) _lost[lost.Resource] = lost;
            return false;
        }
    }

    /// <summary>Notes that the agent has claimed the task of a lease, unless it has released that meanwhile.</summary>
    /// <returns>Whether it is held still.</returns>
    public bool TryClaim(AgentLease lease, long claim)
    {
        lock (_gate)
        {
            if (_held.GetValueOrDefault(lease.Handle.Resource) != lease) return false;
            lease.Claim = claim;
            return true;
        }
    }

    /// <summary>Takes a lease, a queue and a loss out of the session, whichever there are.</summary>
    public (AgentLease? Held, QueuedAcquire? Queued, LostLease? Lost) Forget(string resource)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            TakeGrant_NeedsLock(resource);
            _held.Remove(resource, out var held);
            _queued.Remove(resource, out var queued);
            _lost.Remove(resource, out var lost);
            return (held, queued, lost);
        }
    }

    /// <summary>Takes a lease out of the session, and no other that it may have of the same name by now.</summary>
    public void Forget(AgentLease lease)
    {
        lock (_gate) Forget_NeedsLock(lease);
    }

    /// <summary>Has a call wait in the queue that the agent waits in already: until <see cref="QueuedAcquire.StopWaiting"/>.</summary>
    /// <returns>The queue; null where it waits in none, or for another kind of lease.</returns>
    public QueuedAcquire? JoinQueue(string resource, LeaseOptions options)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            if (!_queued.TryGetValue(resource, out var queued)) return null;
            if ((queued.Options.Mode, queued.Options.Capacity) == (options.Mode, options.Capacity) && queued.TryWait()) return queued;
            queued.Leave();
            _queued.Remove(resource);
            return null;
        }
    }

    /// <summary>Whether the agent waits in the queue for a resource.</summary>
    public bool IsQueued(string resource)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            return _queued.ContainsKey(resource);
        }
    }

    /// <summary>Enters the queue for a resource, and has a call wait there: until <see cref="QueuedAcquire.StopWaiting"/>.</summary>
    /// <exception cref="LeaseRefusedException">The agent waits in too many already.</exception>
    public QueuedAcquire Enter(string resource, LeaseOptions options)
    {
        lock (_gate)
        {
            ThrowIfOver_NeedsLock();
            if (_queued.Count >= MostQueues) throw Limit("queues", Advice.TooManyQueues);
            var queued = new QueuedAcquire(Client, resource, options, time);
            queued.TryWait();
            GoOn_NeedsLock(queued.Ended);
            return _queued[resource] = queued;
        }
    }

    /// <summary>Forgets a queue that has come to nothing, and no other that the agent may wait in by now.</summary>
    public void Forget(QueuedAcquire queued)
    {
        lock (_gate)
            if (_queued.GetValueOrDefault(queued.Resource) == queued) _queued.Remove(queued.Resource);
    }

    /// <summary>Sees to it that the agent can be told of one more name.</summary>
    /// <exception cref="LeaseRefusedException">It has too many.</exception>
    public void CheckRoomFor(string resource)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            if (_held.Count + _queued.Count + _lost.Count >= MostNames && !_lost.ContainsKey(resource))
                throw Limit("leases", Advice.TooManyNames);
        }
    }

    /// <summary>What the agent holds and has lost.</summary>
    public (IReadOnlyList<AgentLease> Held, IReadOnlyList<LostLease> Lost) News()
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            return ([.. _held.Values], [.. _lost.Values]);
        }
    }

    /// <summary>What the agent holds and waits for, to be told. Queues whose grant has come are leases from then on.</summary>
    public (IReadOnlyList<AgentLease> Held, IReadOnlyList<string> Queued) Look()
    {
        lock (_gate)
        {
            foreach (var resource in _queued.Keys.ToArray()) TakeGrant_NeedsLock(resource);
            Sweep_NeedsLock();
            foreach (var lease in _held.Values) lease.IsTold = true;
            return ([.. _held.Values], [.. _queued.Keys]);
        }
    }

    /// <summary>Ends the session: its calls are cancelled, nothing is waited for any more, and every lease is released.</summary>
    public Task EndAsync()
    {
        QueuedAcquire[] queues;
        TaskCompletionSource ended;
        lock (_gate)
        {
            if (_end is not null) return _end;
            ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _end = ended.Task;
            queues = [.. _queued.Values];
        }

        _over.Cancel();
        foreach (var queued in queues) queued.Leave();
        _ = RunAsync();
        return ended.Task;

        async Task RunAsync()
        {
            try
            {
                await GiveAllBackAsync();
                ended.SetResult();
            }
            catch (Exception wrong)
            {
                ended.SetException(wrong);
            }
        }
    }

    /// <inheritdoc cref="EndAsync"/>
    public async ValueTask DisposeAsync() => await EndAsync();

    private async Task GiveAllBackAsync()
    {
        LeaseClient? client;
        Task[] underWay;
        lock (_gate) (client, underWay) = (_client, [.. _underWay]);
        if (client is null) return;
        using var limit = new CancellationTokenSource(GivingBack, time);
        await client.ReleaseAllAsync(limit.Token);
        // What is granted to them from now on the client gives back itself, and says so to its own end.
        await Task.WhenAll(underWay).WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await client.DisposeAsync();
    }

    private void ThrowIfOver_NeedsLock()
    {
        if (_end is not null) throw new OperationCanceledException(_over.Token);
    }

    private static LeaseRefusedException Limit(string name, string detail) =>
        new(new Refusal.LimitReached(name, Advice.Patience, detail));

    private void GoOn_NeedsLock(Task work)
    {
        _underWay.Add(work);
        _ = work.ContinueWith(
            done =>
            {
                lock (_gate) _underWay.Remove(done);
            },
            TaskScheduler.Default);
    }

    private AgentLease Keep_NeedsLock(LeaseHandle handle)
    {
        // An answer that told of the loss may not have come, and this one looks as if the lease had been held all the time.
        _lost.Remove(handle.Resource, out var before);
        return _held[handle.Resource] = new(handle, before);
    }

    private bool Forget_NeedsLock(AgentLease lease)
    {
        var (resource, token) = (lease.Handle.Resource, lease.Handle.Token);
        if (_lost.GetValueOrDefault(resource)?.Token == token) _lost.Remove(resource);
        return _held.GetValueOrDefault(resource) == lease && _held.Remove(resource);
    }

    // By calls that name the resource only: a grant that the agent does not hear of is given up after a while.
    private void TakeGrant_NeedsLock(string resource)
    {
        if (!_queued.TryGetValue(resource, out var queued) || queued.Take() is not { } granted) return;
        _queued.Remove(resource);
        Keep_NeedsLock(granted);
    }

    private void Sweep_NeedsLock()
    {
        foreach (var (resource, queued) in _queued.ToArray())
            if (queued.IsOver) _queued.Remove(resource);
        foreach (var (resource, lease) in _held.ToArray())
        {
            // In this order: one that is lost in between is no released one.
            var isOver = lease.Handle.IsOver;
            var loss = lease.Handle.LossByNow;
            if (loss is null && !isOver) continue;
            _held.Remove(resource);
            if (loss is not null) _lost[resource] = new(resource, lease.Handle.Token, loss);
        }
    }

    // A segment of an owner's name, whatever the program calls itself.
    private static string NameOf(string? agent)
    {
        var name = string.Concat((agent ?? "").Take(LongestName).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
        return name.Trim('-') is { Length: > 0 } usable ? usable : "agent";
    }
}
