using System.Threading.Tasks.Sources;

namespace OrleansLeases.Bench.Driving;

// One answer at a time, awaited without allocation; its continuation runs on the loop's thread, inside Complete.
internal sealed class Pending<T> : IValueTaskSource<T>
{
    private ManualResetValueTaskSourceCore<T> _core;

    public bool Waiting { get; private set; }

    public ValueTask<T> Start()
    {
        if (Waiting)
            throw new InvalidOperationException("An answer is already awaited here.");
        Waiting = true;
        _core.Reset();
        return new ValueTask<T>(this, _core.Version);
    }

    public void Complete(T value)
    {
        Waiting = false;
        _core.SetResult(value);
    }

    public void Fail(Exception error)
    {
        if (!Waiting)
            return;
        Waiting = false;
        _core.SetException(error);
    }

    T IValueTaskSource<T>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
