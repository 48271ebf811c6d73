using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Client;

namespace OrleansLeases.Bench.Client;

// One client process keeps many leases of 30 s alive at a server, over HTTP.
internal static class KeepAlive
{
    private const int AcquiresAtOnce = 64;

    private static readonly LeaseOptions Options = new() { Ttl = TimeSpan.FromSeconds(30) };
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(Settings settings, Action<Finding> tell)
    {
        var scenario = $"{settings.Leases:#,0} leases of 30 s kept alive";
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{settings.Server.Port}") };
        await using var client = new LeaseClient(new HttpLeaseService(http));
        var leases = new LeaseHandle[settings.Leases];
        await Parallel.ForAsync(0, leases.Length, new ParallelOptions { MaxDegreeOfParallelism = AcquiresAtOnce }, async (number, stop) =>
            leases[number] = await client.AcquireAsync($"kept/{number}", Options, stop));

        // One period, until all of them have been renewed once.
        await Task.Delay(TimeSpan.FromSeconds(12), TimeProvider.System);
        var (client0, server0, started) = (Environment.CpuUsage.TotalTime, ProcessTime.Of(settings.Server.Process), Clock.Now);
        await Task.Delay(Length, TimeProvider.System);
        var elapsed = (Clock.Now - started).TotalSeconds;
        var own = (Environment.CpuUsage.TotalTime - client0).TotalSeconds / elapsed;
        var servers = (ProcessTime.Of(settings.Server.Process) - server0) / elapsed;
        if (leases.FirstOrDefault(lease => !lease.IsValid()) is { } lost)
            throw new BenchException($"{lost} was lost: {lost.Loss?.Detail}");

        tell(new Finding(Row: new Row(scenario, "client", "cores", own) { ClientCores = own, ServerCores = servers }));
        tell(new Finding(Verdict: new Verdict(scenario, "client's share of a core", own, "cores", LessThan: 0.15)));
        if (settings.PredictedCores is { } predicted)
        {
            tell(new Finding(Row: new Row(scenario, "leases, as docs/sizing.md has it", "cores", predicted)));
            var ofPrediction = servers / predicted;
            tell(new Finding(Verdict: new Verdict(scenario, "the server's cores", ofPrediction, "of the prediction", LessThan: 1.5)));
        }
    }
}
