using System.Collections.Concurrent;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>A context with one thread, as a user interface has it.</summary>
internal sealed class CallerThread : SynchronizationContext, IDisposable
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];
    private readonly Thread _thread;

    public CallerThread()
    {
        _thread = new(Work) { IsBackground = true };
        _thread.Start();
    }

    public bool IsHere => Thread.CurrentThread == _thread;

    public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

    public Task RunAsync(Func<Task> work)
    {
        var done = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(
            _ =>
            {
                try
                {
                    done.SetResult(work());
                }
                catch (Exception error)
                {
                    done.SetException(error);
                }
            },
            null);
        return done.Task.Unwrap();
    }

    public void Dispose() => _posted.CompleteAdding();

    private void Work()
    {
        SetSynchronizationContext(this);
        foreach (var (callback, state) in _posted.GetConsumingEnumerable()) callback(state);
    }
}
