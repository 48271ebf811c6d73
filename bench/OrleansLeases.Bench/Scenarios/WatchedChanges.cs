using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// How long events were on their way. When a change was committed only its server knows: after it was sent, and before it
// was answered. So the true figure lies between two that can be measured.
internal sealed record WatchFigures
{
    // From sending a change to each receipt of its event: no less than from the commit.
    public Samples FromSending { get; } = new();

    // From its reply: no more than from the commit, and below zero where the event came first.
    public Samples FromReply { get; } = new();

    // From sending to the receipt by the last watcher.
    public Samples ToTheLast { get; } = new();
}

// Changes of a few names, and who has been told of them: every watcher of each, once and in order. Anything else ends the run.
internal sealed class WatchedChanges(int names, int watchers)
{
    private static readonly TimeSpan DeliveryTimeout = TimeSpan.FromSeconds(20);

    private readonly List<Change>[] _changes = [.. Enumerable.Range(0, names).Select(_ => new List<Change>())];
    private readonly int[,] _told = new int[watchers, names];
    private int _underWay;

    public WatchFigures Figures { get; set; } = new();

    public Change Send(int name)
    {
        var change = new Change(Clock.Now, _changes[name].Count + 1, watchers);
        _changes[name].Add(change);
        _underWay++;
        return change;
    }

    public void Reply(Change change)
    {
        change.Replied = Clock.Now;
        Close(change);
    }

    // The change that a watcher must be told next.
    public long Next(int watcher, int name) => _told[watcher, name] + 1;

    public void Receive(int watcher, int name, long number)
    {
        if (number != Next(watcher, name) || number > _changes[name].Count)
            throw new BenchException(
                $"Watcher {watcher} was told of change {number} of name {name} after {_told[watcher, name]}; "
                    + $"{_changes[name].Count} were made.");
        _told[watcher, name]++;
        var change = _changes[name][(int)number - 1];
        change.Received.Add(Clock.Now);
        Close(change);
    }

    public async Task WaitForAllAsync(EventLoop loop)
    {
        for (var end = Clock.Now + DeliveryTimeout; _underWay > 0; await loop.WaitAsync(TimeSpan.FromMilliseconds(5)))
        {
            if (Clock.Now > end)
                throw new BenchException(
                    $"{_underWay} changes had not reached every watcher {DeliveryTimeout.TotalSeconds} s after the last of them.");
        }
    }

    // The reply may come before the first event, after the last, or between.
    private void Close(Change change)
    {
        if (change.Replied is not { } replied || change.Received.Count < watchers)
            return;
        foreach (var received in change.Received)
        {
            Figures.FromSending.Add(received - change.Sent);
            Figures.FromReply.Add(received - replied);
        }

        Figures.ToTheLast.Add(change.Received[^1] - change.Sent);
        change.Received.Clear();
        _underWay--;
    }

    internal sealed record Change(TimeSpan Sent, long Number, int Watchers)
    {
        public TimeSpan? Replied { get; set; }

        public List<TimeSpan> Received { get; } = new(Watchers);
    }
}
