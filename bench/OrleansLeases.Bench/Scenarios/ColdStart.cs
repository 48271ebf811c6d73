using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// From starting the process on the file to its readiness and to its first grant. The file is in the page cache.
internal static class ColdStart
{
    private const double TargetMs = 2000;
    private const int Starts = 3;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static void Run(Bench bench, LeaseStore store)
    {
        Measure(bench, store, "orderly stop", process => process.Stop());
        Measure(bench, store, "kill -9", process => process.Kill());
    }

    private static void Measure(Bench bench, LeaseStore store, string how, Action<ServerProcess> end)
    {
        var (ready, granted) = (new Samples(), new Samples());
        var server = store.Server;
        for (var i = 0; i < Starts; i++)
        {
            end(server);
            var start = Clock.Now;
            server = bench.Own(LeaseServer.Launch(bench.Options.ServerProgram, store.DataFolder));
            bench.Loop.Run(async () =>
            {
                await LeaseServer.WaitUntilReadyAsync(bench.Loop, server);
                ready.Add(Clock.Now - start);
                var connection = bench.Own(new HttpConnection(bench.Loop, server.Port));
                await new LeaseClient(connection, $"cold/{how[0]}/", "starter", Bench.Ttl).AcquireAsync(i);
                granted.Add(Clock.Now - start);
                await store.CheckStillHeldAsync(connection);
            }, Limit);
        }

        store.Server = server;
        var what = $"cold start after {how}, {store.Size:#,0} held";
        bench.Report.Add(new Row("scale", what + ", ready", "ms", ready.Median));
        bench.Report.Add(new Row("scale", what + ", first grant", "ms", granted.Median));
        bench.Report.Add(new Verdict("scale", what + ", first grant", granted.Median, "ms", LessThan: TargetMs));
    }
}
