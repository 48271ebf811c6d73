using System.Runtime.ExceptionServices;

namespace OrleansLeases.Bench.Driving;

// One thread drives every connection. Clients are async methods whose awaits end on this thread, so a scenario
// reads like straight code and costs little more than its system calls.
internal sealed class EventLoop : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(200);

    private readonly int _epoll = Epoll.Create();
    private readonly byte[] _events = new byte[Epoll.EventSize * 256];
    private readonly List<Connection?> _connections = [];
    private readonly Stack<int> _freeSlots = [];
    private readonly List<Connection> _unsent = [];
    private readonly PriorityQueue<Pending<bool>, TimeSpan> _timers = new();
    private readonly Stack<Pending<bool>> _spareTimers = [];

    private ExceptionDispatchInfo? _fault;

    public CancellationToken Stop { get; init; }

    // Runs until the work ends, and never longer than the limit.
    public T Run<T>(Func<Task<T>> work, TimeSpan limit)
    {
        var end = Clock.Now + limit;
        var running = work();
        while (!running.IsCompleted)
        {
            if (Clock.Now > end)
                throw new BenchException($"A step did not end within {limit.TotalSeconds:0} s. {Unanswered()}");
            Stop.ThrowIfCancellationRequested();
            _fault?.Throw();
            Turn();
        }

        return running.GetAwaiter().GetResult();
    }

    public void Run(Func<Task> work, TimeSpan limit) => Run(async () =>
    {
        await work();
        return true;
    }, limit);

    // Waits for all, but the first failure ends the run at once: the others may be waiting for what it never did.
    public Task WhenAll(IEnumerable<Task> tasks) => Task.WhenAll(tasks.Select(async task =>
    {
        try
        {
            await task;
        }
        catch (Exception error)
        {
            _fault ??= ExceptionDispatchInfo.Capture(error);
            throw;
        }
    }));

    public Task WhenAll(int count, Func<int, Task> work) => WhenAll(Enumerable.Range(0, count).Select(work));

    public async ValueTask WaitUntilAsync(TimeSpan time)
    {
        if (time <= Clock.Now)
            return;
        var timer = _spareTimers.Count > 0 ? _spareTimers.Pop() : new Pending<bool>();
        var elapsed = timer.Start();
        _timers.Enqueue(timer, time);
        await elapsed;
        _spareTimers.Push(timer);
    }

    public ValueTask WaitAsync(TimeSpan duration) => WaitUntilAsync(Clock.Now + duration);

    public void Dispose() => _ = Epoll.Close(_epoll);

    internal int Register(Connection connection, int socket)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _connections.Count;
            _connections.Add(null);
        }

        _connections[slot] = connection;
        Epoll.Control(_epoll, Epoll.Add, socket, Epoll.In, slot);
        return slot;
    }

    internal void Unregister(int slot, int socket)
    {
        Epoll.Control(_epoll, Epoll.Remove, socket, 0, 0);
        _connections[slot] = null;
        _freeSlots.Push(slot);
    }

    internal void WatchForWriting(int slot, int socket, bool writing) =>
        Epoll.Control(_epoll, Epoll.Modify, socket, writing ? Epoll.In | Epoll.Out : Epoll.In, slot);

    internal void SendLater(Connection connection) => _unsent.Add(connection);

    private void Turn()
    {
        FireTimers();
        SendAll();
        var wait = LongestWait;
        if (_timers.TryPeek(out _, out var due) && due - Clock.Now < wait)
            wait = due - Clock.Now;
        var count = Epoll.Wait(_epoll, _events, wait);
        for (var i = 0; i < count; i++)
        {
            var (events, slot) = Epoll.Read(_events, i);
            if ((events & Epoll.Out) != 0)
                _connections[slot]?.Send();
            if ((events & (Epoll.In | Epoll.Error | Epoll.HangUp)) != 0)
                _connections[slot]?.Receive();
        }
    }

    private void FireTimers()
    {
        while (_timers.TryPeek(out var timer, out var due) && due <= Clock.Now)
        {
            _timers.Dequeue();
            timer.Complete(true);
        }
    }

    private string Unanswered()
    {
        var waiting = _connections.OfType<Connection>().Where(connection => connection.Waiting).ToArray();
        return $"Calls without an answer: {waiting.Length}. {string.Join("; ", waiting.Take(3))}";
    }

    // What one turn wrote to a connection leaves in one system call.
    private void SendAll()
    {
        for (var i = 0; i < _unsent.Count; i++)
            _unsent[i].Send();
        _unsent.Clear();
    }
}
