using System.Runtime.CompilerServices;

namespace OrleansLeases.Bench.Measuring;

// Sends a caller to the end of the thread pool's common queue. Without it a caller whose call ended goes on at once, on
// the queue of its own thread: a few callers make nearly all the calls, and a hundred of them are as good as two.
internal readonly struct BehindOthers : ICriticalNotifyCompletion
{
    public static BehindOthers Turn => default;

    public bool IsCompleted => false;

    public BehindOthers GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static continuation => continuation(), continuation, preferLocal: false);
}
