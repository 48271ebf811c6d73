using OrleansLeases.Client.Holding;

namespace OrleansLeases.Client.Tests.Holding;

public sealed class CallbackThreadsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public void Signals_BehindManyThatDoNotReturn_AreRunAllTheSame_AndThoseThatComeLater()
    {
        const int Stuck = 50;
        // Not disposed of: whoever waits for it may come to it after the test.
        var goOn = new ManualResetEventSlim();
        var begun = new CountdownEvent(Stuck);
        var ran = new CountdownEvent(2);
        var threads = new CallbackThreads();
        for (var i = 0; i < Stuck; i++)
        {
            threads.Run(() =>
            {
                begun.Signal();
                goOn.Wait();
            });
        }

        threads.Run(() => ran.Signal());
        var all = begun.Wait(Limit);
        threads.Run(() => ran.Signal());
        all &= ran.Wait(Limit);

        goOn.Set();
        Assert.True(all, $"{begun.CurrentCount} of {Stuck} signals did not begin.");
        Assert.False(threads.HelpIfStuck());
    }

    [Fact]
    public void Signals_ThatReturn_AreRunByFewThreads()
    {
        const int Count = 10_000;
        var ran = new CountdownEvent(Count);
        var ids = new System.Collections.Concurrent.ConcurrentDictionary<int, bool>();
        var threads = new CallbackThreads();

        for (var i = 0; i < Count; i++)
        {
            threads.Run(() =>
            {
                ids.TryAdd(Environment.CurrentManagedThreadId, true);
                ran.Signal();
            });
        }

        Assert.True(ran.Wait(Limit));
        Assert.InRange(ids.Count, 1, 100);
    }

    [Fact]
    public void Signals_RunOutsideTheThreadPool()
    {
        using var ran = new ManualResetEventSlim();
        var pooled = true;

        new CallbackThreads().Run(() =>
        {
            pooled = Thread.CurrentThread.IsThreadPoolThread;
            ran.Set();
        });

        ran.Wait();
        Assert.False(pooled);
    }
}
