using System.Diagnostics.CodeAnalysis;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>
/// One agent, for as long as it is connected: its name as an owner, the leases that it holds, which are renewed meanwhile, the queues
/// that it
/// waits in, and what it has lost. Thread-safe.
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
    private const int MostQueues = 100;
    private const int MostLost = 20;
    private const int LongestName = 40;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _starting = new(1);
    private readonly Dictionary<string, AgentLease> _held = new(StringComparer.Ordinal);
    private readonly Dictionary<string, QueuedAcquire> _queued = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LostLease> _lost = new(StringComparer.Ordinal);
    private LeaseClient? _client;
    private bool _isOver;

    /// <summary>The session of an agent that calls by a connection.</summary>
    public AgentSession(ServerConnection connection, McpSettings settings)
        : this(connection.Service, connection.WhoAmIAsync, settings.Owner, settings.Ttl, TimeProvider.System)
    {
    }

    public ILeaseService Service => service;

    public LeaseClient Client => _client ?? throw new InvalidOperationException("The session has not started.");

    public TimeProvider Time => time;

    /// <summary>Entered for each acquire.</summary>
    public SemaphoreSlim AcquiresOneAtATime { get; } = new(1);

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
            _client = new(Service, new() { Owner = $"{above}/{NameOf(agent)}-{Guid.NewGuid().ToString("N")[..8]}" }, time);
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

    /// <summary>The lease on a resource, where the agent holds it.</summary>
    public bool TryGetHeld(string resource, [NotNullWhen(true)] out AgentLease? lease)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            return _held.TryGetValue(resource, out lease);
        }
    }

    /// <summary>Keeps a lease until it is released, lost, or the session ends.</summary>
    /// <returns>Whether the session goes on; where not, the lease has to be released.</returns>
    public bool Keep(AgentLease lease)
    {
        lock (_gate)
        {
            if (_isOver) return false;
            _held[lease.Handle.Resource] = lease;
            _lost.Remove(lease.Handle.Resource);
            return true;
        }
    }

    /// <summary>Takes a lease, a queue and a loss out of the session.</summary>
    public (AgentLease? Held, QueuedAcquire? Queued, LostLease? Lost) Forget(string resource)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            _held.Remove(resource, out var held);
            _queued.Remove(resource, out var queued);
            _lost.Remove(resource, out var lost);
            return (held, queued, lost);
        }
    }

    /// <summary>The queue that the agent waits in for a resource; null where it waits in none.</summary>
    public QueuedAcquire? QueueOf(string resource)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            return _queued.GetValueOrDefault(resource);
        }
    }

    /// <summary>Enters the queue for a resource, or goes on in it.</summary>
    /// <returns>The queue; null where the agent waits in too many already.</returns>
    public QueuedAcquire? Enter(string resource, LeaseOptions options)
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            if (_queued.TryGetValue(resource, out var queued)
                && (queued.Options.Mode, queued.Options.Capacity) == (options.Mode, options.Capacity))
                return queued;
            queued?.Leave();
            if (_isOver || (queued is null && _queued.Count >= MostQueues)) return null;
            return _queued[resource] = new(Client, resource, options, time);
        }
    }

    /// <summary>What the agent holds, waits for and has lost. Queues whose grant has come are leases from then on.</summary>
    public (IReadOnlyList<AgentLease> Held, IReadOnlyList<string> Queued, IReadOnlyList<LostLease> Lost) Look()
    {
        lock (_gate)
        {
            Sweep_NeedsLock();
            return ([.. _held.Values], [.. _queued.Keys], [.. _lost.Values]);
        }
    }

    /// <summary>Ends the session: nothing is waited for any more, and every lease is released.</summary>
    public async ValueTask DisposeAsync()
    {
        AgentLease[] held;
        lock (_gate)
        {
            if (_isOver) return;
            _isOver = true;
            foreach (var queued in _queued.Values) queued.Leave();
            held = [.. _held.Values];
        }

        await Task.WhenAll(held.Select(lease => lease.Handle.DisposeAsync().AsTask()));
        if (_client is not null) await _client.DisposeAsync();
    }

    private void Sweep_NeedsLock()
    {
        foreach (var (resource, queued) in _queued.ToArray())
        {
            if (!queued.Grant.IsCompleted && !queued.IsOver) continue;
            // Who waits for it sees why it was not granted.
            if (queued.Take() is { } granted) _held[resource] = new(granted);
            else if (!queued.IsOver) continue;
            _queued.Remove(resource);
        }

        foreach (var (resource, lease) in _held.ToArray())
        {
            if (lease.Handle.LossByNow is not { } loss) continue;
            _held.Remove(resource);
            while (_lost.Count >= MostLost) _lost.Remove(_lost.Keys.First());
            _lost[resource] = new(resource, lease.Handle.Token, loss);
        }
    }

    // A segment of an owner's name, whatever the program calls itself.
    private static string NameOf(string? agent)
    {
        var name = string.Concat((agent ?? "").Take(LongestName).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
        return name.Trim('-') is { Length: > 0 } usable ? usable : "agent";
    }
}
