using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Measuring;

// Every client does one step after the other until the time is over.
internal static class ClosedLoop
{
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(60);

    public static Round Run(EventLoop loop, Load load, TimeSpan duration)
    {
        var latency = new Samples();
        var operations = 0L;
        var before = CpuSeconds.Sample(load.Server);
        var end = Clock.Now + duration;
        loop.Run(() => loop.WhenAll(load.Clients, ClientAsync), duration + Slack);
        return new Round(operations, CpuSeconds.Sample(load.Server) - before, latency);

        async Task ClientAsync(int client)
        {
            for (var start = Clock.Now; start < end && load.HasMore(client);)
            {
                await load.StepAsync(client);
                operations += load.OperationsPerStep;
                var now = Clock.Now;
                latency.Add(now - start);
                start = now;
            }
        }
    }
}
