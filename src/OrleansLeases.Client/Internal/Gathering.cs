namespace OrleansLeases.Client.Internal;

/// <summary>
/// The calls to one server that may share a request: one goes at once and by itself while few are under way; the others gather, and go
/// together when a request has come back. Thread-safe.
/// </summary>
internal sealed class Gathering
{
    private const int MostUnderWay = 4;
    private const int MostBytes = 512 * 1024;

    // A request that takes long holds up no other call for longer than this. Decision calls-share-requests.
    private static readonly TimeSpan LongestGathering = TimeSpan.FromMilliseconds(20);

    // An operation that is not answered holds up those that it goes with for two seconds. Decision calls-share-requests.
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Queue<SharedCall> _gathered = new();
    private readonly Action<Gathering, SharedRequest> _send;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _mostTogether = BatchCalls.MaxOperations;
    private int _underWay;
    private int _held;
    private long? _apartSince;

    /// <param name="send">Sends a request of several calls, and ends it by <see cref="End"/>.</param>
    /// <param name="time">The clock.</param>
    public Gathering(Action<Gathering, SharedRequest> send, TimeProvider time)
    {
        (_send, _time) = (send, time);
        _timer = Background.Timer(time, _ => Send(evenIfMany: true), null);
    }

    /// <summary>How many calls wait, with those whose callers have left meanwhile.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _gathered.Count;
        }
    }

    /// <summary>Begins a request of one call; otherwise it has to gather.</summary>
    public bool TryBegin()
    {
        lock (_gate)
        {
            var alone = _mostTogether == 1
                || (_held == 0 && ((_underWay < MostUnderWay && _gathered.Count == 0) || IsApart_NeedsLock()));
            if (alone) _underWay++;
            return alone;
        }
    }

    /// <summary>Adds a call to those that gather.</summary>
    public void Add(SharedCall call)
    {
        lock (_gate)
        {
            _gathered.Enqueue(call);
            if (_gathered.Count == 1) _timer.Change(LongestGathering, Timeout.InfiniteTimeSpan);
        }

        Send(evenIfMany: false);
    }

    /// <summary>A request has come back.</summary>
    public void End()
    {
        lock (_gate) _underWay--;
        Send(evenIfMany: false);
    }

    /// <summary>Begins requests of calls by themselves that were to go together.</summary>
    public void GoAlone(IEnumerable<SharedCall> calls)
    {
        foreach (var call in calls)
        {
            lock (_gate) _underWay++;
            if (!call.TryGoAlone()) End();
        }
    }

    /// <summary>The server takes no batch of so many: none at all where that is 1.</summary>
    public void Limit(int most)
    {
        lock (_gate) _mostTogether = Math.Min(_mostTogether, Math.Max(1, most));
    }

    /// <summary>For a while calls go by themselves: some are not answered, and would hold up others.</summary>
    public void KeepApart()
    {
        lock (_gate) _apartSince = _time.GetTimestamp();
    }

    /// <summary>Until <see cref="Release"/>, calls gather however few they are.</summary>
    public void HoldBack()
    {
        lock (_gate) _held++;
    }

    /// <summary>Sends what has gathered.</summary>
    public void Release()
    {
        lock (_gate)
        {
            if (--_held > 0) return;
        }

        Send(evenIfMany: true);
    }

    private bool IsApart_NeedsLock() => _apartSince is { } since && _time.GetElapsedTime(since) < Apart;

    private void Send(bool evenIfMany)
    {
        List<SharedRequest>? requests = null;
        lock (_gate)
        {
            while (_gathered.Count > 0 && (evenIfMany || (_held == 0 && _underWay < MostUnderWay)))
            {
                _underWay++;
                (requests ??= []).Add(Take_NeedsLock());
            }
        }

        foreach (var request in requests ?? [])
        {
            if (request.Calls.Count > 1)
            {
                _send(this, request);
                continue;
            }

            GoAlone(request.Calls);
            End();
        }
    }

    private SharedRequest Take_NeedsLock()
    {
        var request = new SharedRequest();
        var bytes = 0;
        while (request.Calls.Count < _mostTogether && _gathered.TryPeek(out var call))
        {
            bytes += call.Operation.Length;
            if (bytes > MostBytes && request.Calls.Count > 0) break;
            _gathered.Dequeue();
            if (call.TrySend(request)) request.Calls.Add(call);
        }

        return request;
    }
}
