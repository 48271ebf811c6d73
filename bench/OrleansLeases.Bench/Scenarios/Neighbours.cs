using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// A light load keeps its timetable, alone and beside a principal that makes ten times the calls of its quota: turn and turn about.
internal sealed class Neighbours
{
    private const int Clients = 8;
    private const int TimesItsQuota = 10;
    private const double Target = 2;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(60);

    private readonly Bench _bench;
    private readonly LeaseClient[] _others;
    private readonly HttpConnection[] _greedy;
    private readonly TimeSpan _greedyInterval;
    private readonly byte[] _request;
    private int _calls;
    private int _refused;

    public Neighbours(Bench bench, ServerProcess server, string apiKey, string greedyKey, int greedyQuota)
    {
        _bench = bench;
        _others = bench.LeaseClients(server, Clients, "others/", "owner", apiKey: apiKey);
        _greedy = [.. Enumerable.Range(0, Clients).Select(_ => bench.Own(new HttpConnection(bench.Loop, server.Port)))];
        _greedyInterval = TimeSpan.FromSeconds(1) / (TimesItsQuota * greedyQuota);
        // After the first one it is held: all others are refused, by the quota or by that.
        _request = LeaseRequest.Acquire("greedy/", "greedy", TimeSpan.FromHours(1), apiKey: greedyKey).Bytes;
    }

    public void Run()
    {
        var (quiet, beside, ratios) = (new Samples(), new Samples(), new List<double>());
        Round(isGreedyThere: true);
        (_calls, _refused) = (0, 0);
        for (var round = 0; round < _bench.Options.Rounds; round++)
        {
            var isFirst = round % 2 == 0;
            var (one, other) = (Round(!isFirst), Round(isFirst));
            var (alone, both) = isFirst ? (one, other) : (other, one);
            ratios.Add(both.Percentile(0.99) / alone.Percentile(0.99));
            quiet.Add(alone);
            beside.Add(both);
        }

        Add("others, alone", quiet);
        Add("others, beside one at ten times its quota", beside);
        _bench.Report.Note(string.Create(
            CultureInfo.InvariantCulture, $"it made {_calls:#,0} calls, of which {_refused:#,0} were refused by its quota"));
        _bench.Report.Add(new Verdict(
            "access", "p99 of others, beside a principal at ten times its quota against alone", Samples.MedianOf(ratios), "×",
            LessThan: Target));
    }

    private Samples Round(bool isGreedyThere) => _bench.Loop.Run(async () =>
    {
        var start = Clock.Now;
        var end = start + _bench.Options.RoundTime;
        var greedy = isGreedyThere
            ? new PacedLoad(_bench.Loop, Clients, _greedyInterval).RunAsync((client, _, _) => AskAsync(client), start, end)
            : Task.FromResult(new Samples());
        var samples = await new PacedLoad(_bench.Loop, Clients, Interval).RunAsync(CycleAsync, start, end);
        await greedy;
        return samples;
    }, _bench.Options.RoundTime + Slack);

    private async ValueTask CycleAsync(int client, Samples samples, TimeSpan due)
    {
        var grant = await _others[client].AcquireAsync(client);
        await _others[client].ReleaseAsync(client, grant.Token);
        samples.Add(Clock.Now - due);
    }

    private async ValueTask AskAsync(int client)
    {
        _calls++;
        var answer = await _greedy[client].SendAsync(_request);
        if (answer.Status == 429)
            _refused++;
        else if (answer.Status is not (200 or 409))
            throw new BenchException($"The greedy principal: {answer}");
    }

    private void Add(string server, Samples samples) => _bench.Report.Add(new Row("access", server, "cycles", samples.Count)
    {
        MedianMs = samples.Median, P99Ms = samples.Percentile(0.99),
    });
}
