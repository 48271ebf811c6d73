using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// A light load that keeps its timetable whatever the server does: a call that starts late counts from when it
// was due, so a stall shows in every call it delayed.
internal sealed class PacedLoad(EventLoop loop, int clients, TimeSpan interval)
{
    public Task<Samples> RunAsync(Func<int, Samples, TimeSpan, ValueTask> step, TimeSpan start, TimeSpan end) =>
        RunAsync(step, start, due => due < end);

    public async Task<Samples> RunAsync(Func<int, Samples, TimeSpan, ValueTask> step, TimeSpan start, Func<TimeSpan, bool> more)
    {
        var samples = new Samples();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            for (var slot = client; more(start + interval * slot); slot += clients)
            {
                var due = start + interval * slot;
                await loop.WaitUntilAsync(due);
                await step(client, samples, due);
            }
        }));
        return samples;
    }
}
