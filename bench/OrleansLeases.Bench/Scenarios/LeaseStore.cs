using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// A server of its own that holds a given number of leases for a day.
internal sealed class LeaseStore
{
    // Fewer leases than this vanish in the noise of a process's memory.
    public const int Enough = 50_000;

    private const string Prefix = "held/";
    private const string Owner = "holder";
    private const int WarmUpCycles = 200;
    private const int Renewed = 1000;

    private static readonly TimeSpan Day = TimeSpan.FromHours(24);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    private readonly Bench _bench;
    private readonly LeaseClient[] _clients;
    private readonly long[] _tokens;
    private long _emptyBytes;

    public LeaseStore(Bench bench, int size)
    {
        (_bench, Size) = (bench, size);
        DataFolder = bench.Workspace.NewFolder("leases");
        Server = bench.Own(LeaseServer.Start(bench.Loop, bench.Options.ServerProgram, DataFolder));
        _clients = bench.LeaseClients(Server, bench.Options.Clients, Prefix, Owner, Day);
        _tokens = new long[size];
    }

    public int Size { get; }

    public string DataFolder { get; }

    public ServerProcess Server { get; set; }

    public double FillRate { get; private set; }

    public double LastTenthRatio { get; private set; }

    public double BytesPerLease { get; private set; }

    // Free of what a process grows by once, however many leases it holds.
    public double BytesPerLeaseBeyond(LeaseStore smaller) =>
        (BytesPerLease * Size - smaller.BytesPerLease * smaller.Size) / (Size - smaller.Size);

    public double PeakBytesPerLease { get; private set; }

    public double FileBytesPerLease =>
        new DirectoryInfo(DataFolder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length) / (double)Size;

    public void Fill() => _bench.Loop.Run(FillAsync, Limit);

    // What was granted before a restart is held after it: refused to others, renewed for its owner.
    public async Task CheckStillHeldAsync(HttpConnection connection)
    {
        foreach (var name in new[] { 0, Size / 2, Size - 1 })
        {
            if (await new LeaseClient(connection, Prefix, "thief", Day).TryAcquireAsync(name))
                throw new BenchException(
                    $"After a restart {LeaseRequest.NameOf(Prefix, name)} was granted to another although it is held.");
            await new LeaseClient(connection, Prefix, Bench.OwnerOf(Owner, name % _clients.Length), Day).RenewAsync(name, _tokens[name]);
        }
    }

    public Load Cycles() =>
        new LeaseCycles(Server, _bench.LeaseClients(Server, _clients.Length, "cycle/", "owner"), Names.Own(_clients.Length), Row);

    public Load Renewals() => new StoreRenewals(this);

    private string Row => $"{Size:#,0} held";

    private async Task FillAsync()
    {
        // Started, compiled and warm before its memory is taken for empty.
        var warmers = _bench.LeaseClients(Server, _clients.Length, "warm/", "warmer");
        await _bench.Loop.WhenAll(warmers.Length, async client =>
        {
            for (var i = 0; i < WarmUpCycles; i++)
                await warmers[client].ReleaseAsync(client, (await warmers[client].AcquireAsync(client)).Token);
        });
        _emptyBytes = Server.ResidentBytes;

        var times = new List<TimeSpan> { Clock.Now };
        for (var tenth = 0; tenth < 10; tenth++)
        {
            var (from, to) = ((int)((long)Size * tenth / 10), (int)((long)Size * (tenth + 1) / 10));
            await _bench.Loop.WhenAll(_clients.Length, async client =>
            {
                for (var name = FirstOf(client, from); name < to; name += _clients.Length)
                    _tokens[name] = (await _clients[client].AcquireAsync(name)).Token;
            });
            times.Add(Clock.Now);
        }

        FillRate = Size / (times[^1] - times[0]).TotalSeconds;
        LastTenthRatio = (times[1] - times[0]) / (times[^1] - times[^2]);
        PeakBytesPerLease = (Server.PeakResidentBytes - _emptyBytes) / (double)Size;
        await _bench.Loop.WaitAsync(Settling);
        BytesPerLease = (Server.ResidentBytes - _emptyBytes) / (double)Size;
    }

    // A name belongs to the client that its remainder names.
    private int FirstOf(int client, int from) => from + (client - from % _clients.Length + _clients.Length) % _clients.Length;

    // The same number of leases at every size, spread over all that are held, so that the same share is stored.
    private sealed class StoreRenewals(LeaseStore store) : Load(store.Row, store.Server, store._clients.Length)
    {
        private readonly int[] _steps = new int[store._clients.Length];
        private readonly int _perClient = Math.Max(1, Renewed / store._clients.Length);

        public override async ValueTask StepAsync(int client)
        {
            var stride = Math.Max(1, store.Size / Clients / _perClient);
            var name = client + Clients * (_steps[client]++ % _perClient) * stride;
            await store._clients[client].RenewAsync(name, store._tokens[name]);
        }
    }
}
