using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Etcd;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http2;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// Leases of whole seconds whose deadlines fall into one second; a watch tells when each key is free.
internal sealed class EtcdExpiry(Bench bench, ServerProcess server, int keys)
{
    private const int Bystanders = 16;
    private const int PilotRequests = 1000;
    private const int RevokedPerSecond = 1000;
    private const string Prefix = "expire/";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QuietTime = 4 * Second;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly EtcdClient[] _clients = bench.EtcdClients(server, bench.Options.Clients);
    private readonly EtcdClient[] _bystanders = bench.EtcdClients(server, Bystanders);
    private readonly GrpcCall[] _streams = new GrpcCall[Bystanders];
    private readonly long[] _held = new long[Bystanders];
    private readonly Dictionary<string, TimeSpan> _deadlines = [];
    private readonly int _pilot = PilotRequests / (1 + keys);
    private ExpiryFigures? _figures;

    public void Run(int round, ExpiryFigures figures) => bench.Loop.Run(() => RunAsync(round, figures), Limit);

    private async Task RunAsync(int round, ExpiryFigures figures)
    {
        _figures = figures;
        if (round == 0)
            await OpenAsync();
        var start = Clock.Now;
        await FillAsync($"pilot/{round}/", _pilot, _ => 3600);
        var fillTime = (Clock.Now - start) / _pilot * figures.Leases;
        var target = Clock.Now + fillTime * 1.4 + QuietTime + 2 * Second;
        await FillAsync(Prefix, figures.Leases, _ => (long)Math.Ceiling((target - Clock.Now).TotalSeconds));
        if (Clock.Now > target - QuietTime)
            throw new BenchException("etcd's leases were not all granted before the quiet time: the machine slowed down too much.");

        var load = new PacedLoad(bench.Loop, Bystanders, Interval);
        await bench.Loop.WaitUntilAsync(target - QuietTime);
        figures.Quiet.Add(await load.RunAsync(CallAsync, target - QuietTime, target - Second / 4));
        figures.Storm.Add(await load.RunAsync(CallAsync, target, target + Second * figures.Leases / RevokedPerSecond + Second));
        for (var end = Clock.Now + 60 * Second; _deadlines.Count > 0;)
        {
            if (Clock.Now > end)
                throw new BenchException($"etcd still held {_deadlines.Count} keys a minute after their deadline.");
            await bench.Loop.WaitAsync(Second / 10);
        }
    }

    private async Task OpenAsync()
    {
        for (var i = 0; i < Bystanders; i++)
        {
            _streams[i] = _bystanders[i].OpenKeepAlive();
            _held[i] = (await _bystanders[i].GrantAsync(3600)).Id;
        }

        var watcher = new Http2Connection(bench.Loop, server.Port);
        bench.Own(watcher);
        await EtcdWatch.OpenAsync(watcher, Prefix, "expire0", key =>
        {
            if (_deadlines.Remove(key, out var deadline))
                _figures!.Delay.Add(Clock.Now - deadline);
        });
    }

    private Task FillAsync(string prefix, int count, Func<int, long> ttl) => bench.Loop.WhenAll(_clients.Length, async client =>
    {
        for (var i = client; i < count; i += _clients.Length)
        {
            var sent = Clock.Now;
            var lease = await _clients[client].GrantAsync(ttl(i));
            for (var of = 0; of < keys; of++)
            {
                var key = LeaseRequest.NameOf(prefix, i * keys + of);
                if (!await _clients[client].CreateAsync(key, "owner", lease.Id))
                    throw new BenchException($"etcd: {key} existed before its creation.");
                if (prefix == Prefix)
                    _deadlines[key] = sent + Second * lease.Ttl;
            }
        }
    });

    private async ValueTask CallAsync(int client, Samples samples, TimeSpan due)
    {
        if (client % 2 == 0)
        {
            await EtcdClient.KeepAliveAsync(_streams[client], _held[client]);
            samples.Add(Clock.Now - due);
            return;
        }

        var lease = await _bystanders[client].GrantAsync(60);
        samples.Add(Clock.Now - due);
        var start = Clock.Now;
        if (!await _bystanders[client].CreateAsync(LeaseRequest.NameOf("other/", client), "owner", lease.Id))
            throw new BenchException("etcd: a key nobody else uses existed before its creation.");
        samples.Add(Clock.Now - start);
        start = Clock.Now;
        await _bystanders[client].RevokeAsync(lease.Id);
        samples.Add(Clock.Now - start);
    }
}
