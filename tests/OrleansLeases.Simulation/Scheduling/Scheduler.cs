using System.Diagnostics;

namespace OrleansLeases.Simulation.Scheduling;

/// <summary>
/// Does one thing after the other, in the order of virtual time, and of chance where two things come at one moment. It takes the
/// next event only once the thread pool, which has one thread, has nothing left to do: what an event causes has happened by then.
/// </summary>
/// <remarks>
/// Code that awaits goes on by the thread pool, or where it is awaited; so the scheduler is itself a work item of that pool,
/// at the end of its queue. No real clock, no I/O and no second thread has a part in what happens.
/// </remarks>
internal sealed class Scheduler(Dice dice, Trace trace) : IThreadPoolWorkItem
{
    // In virtual time what is tried again at once is tried for ever.
    private const long MostReadings = 2_000_000;

    private readonly PriorityQueue<Action, Key> _queue = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ViolationException? _violation;
    private long _sequence;
    private Thread? _thread;
    private long _readings;
    private bool _ends;

    /// <summary>True time since the start: nobody in the simulation can read it.</summary>
    public TimeSpan Now
    {
        get
        {
            if (++_readings > MostReadings) Environment.FailFast("Code of the simulation goes round in circles while no time passes.");
            return field;
        }

        private set
        {
            if (value != field) _readings = 0;
            field = value;
        }
    }

    public long Events { get; private set; }

    public Dice Dice { get; } = dice;

    public Trace Trace { get; } = trace;

    public ViolationException? Violation => _violation;

    /// <summary>Does something at a moment; at once, after what is under way, where that has passed.</summary>
    public void At(TimeSpan at, Action what)
    {
        // Handles of a run that is over are collected, and their lost tokens cancelled.
        if (_ends) return;
        // A second thread would come as it likes: before the run, that of the pool would.
        if (_thread is null ? Thread.CurrentThread.IsThreadPoolThread : Thread.CurrentThread != _thread)
            Environment.FailFast("Code of the simulation runs on another thread.");
        _queue.Enqueue(what, new(at > Now ? at.Ticks : Now.Ticks, Dice.NextBits(), ++_sequence));
    }

    public void After(TimeSpan delay, Action what) => At(Now + delay, what);

    /// <summary>True time passes.</summary>
    public Task PassAsync(TimeSpan time)
    {
        var passed = new TaskCompletionSource();
        After(time, passed.SetResult);
        return passed.Task;
    }

    /// <summary>A violation ends the run. May be called from anywhere; only the first counts.</summary>
    public void Fail(string invariant, string detail)
    {
        _violation ??= new(invariant, detail);
        _ends = true;
    }

    public void End() => _ends = true;

    /// <summary>Runs until <see cref="End"/>, from a thread that is not the pool's.</summary>
    public void Run()
    {
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        _done.Task.GetAwaiter().GetResult();
    }

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            _thread = Thread.CurrentThread;
            while (!_ends)
            {
                if (ThreadPool.PendingWorkItemCount > 0)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                    return;
                }

                if (!_queue.TryDequeue(out var what, out var key)) throw new UnreachableException("Nothing will ever happen again.");
                Now = new(key.At);
                Events++;
                what();
            }

            _done.SetResult();
        }
        catch (ViolationException violation)
        {
            _violation ??= violation;
            _done.SetResult();
        }
        catch (Exception defect)
        {
            _done.SetException(defect);
        }
    }

    private readonly record struct Key(long At, ulong Chance, long Sequence) : IComparable<Key>
    {
        public int CompareTo(Key other) => At != other.At ? At.CompareTo(other.At)
            : Chance != other.Chance ? Chance.CompareTo(other.Chance)
            : Sequence.CompareTo(other.Sequence);
    }
}
