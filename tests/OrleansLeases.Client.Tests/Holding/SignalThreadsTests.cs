using OrleansLeases.Client.Holding;

namespace OrleansLeases.Client.Tests.Holding;

public sealed class SignalThreadsTests
{
    [Fact]
    public async Task Signals_BehindSomeThatDoNotReturn_AreRunAllTheSame()
    {
        // Not disposed of: whoever waits for it may come to it after the test.
        var goOn = new ManualResetEventSlim();
        var stuck = new CountdownEvent(3);
        var ran = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var threads = new SignalThreads();
        for (var i = 0; i < 3; i++)
        {
            threads.Run(() =>
            {
                stuck.Signal();
                goOn.Wait();
            });
        }

        threads.Run(() => ran.SetResult());
        while (!ran.Task.IsCompleted)
        {
            threads.HelpIfStuck();
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }

        Assert.True(stuck.IsSet);
        Assert.False(threads.HelpIfStuck());
        goOn.Set();
    }

    [Fact]
    public void Signals_RunOutsideTheThreadPool()
    {
        using var ran = new ManualResetEventSlim();
        var pooled = true;

        new SignalThreads().Run(() =>
        {
            pooled = Thread.CurrentThread.IsThreadPoolThread;
            ran.Set();
        });

        ran.Wait();
        Assert.False(pooled);
    }
}
