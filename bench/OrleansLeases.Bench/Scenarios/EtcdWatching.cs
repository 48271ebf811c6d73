using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Etcd;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http2;
using OrleansLeases.Bench.Leases;

namespace OrleansLeases.Bench.Scenarios;

// Each key is created under a lease that stays, and deleted, in turn: a write each, as ours.
internal sealed class EtcdWatching(Bench bench, ServerProcess server, WatchPart part)
{
    private readonly EtcdClient[] _clients = bench.EtcdClients(server, part.Names);
    private readonly bool[] _held = new bool[part.Names];
    private readonly WatchedChanges _changes = new(part.Names, part.Watchers);
    private long _lease;

    public async Task RunAsync(TimeSpan time, WatchFigures figures)
    {
        if (_lease == 0)
        {
            _lease = (await _clients[0].GrantAsync(3600)).Id;
            await bench.Loop.WhenAll(part.Watchers, OpenAsync);
        }

        _changes.Figures = figures;
        var start = Clock.Now;
        await new PacedLoad(bench.Loop, part.Names, part.Interval).RunAsync((name, _, _) => ChangeAsync(name), start, start + time);
        await _changes.WaitForAllAsync(bench.Loop);
    }

    private async ValueTask ChangeAsync(int name)
    {
        var key = LeaseRequest.NameOf(part.Prefix, name);
        var change = _changes.Send(name);
        if (_held[name])
            await _clients[name].DeleteAsync(key);
        else if (!await _clients[name].CreateAsync(key, "owner", _lease))
            throw new BenchException($"etcd: {key} existed before its creation.");
        _changes.Reply(change);
        _held[name] = !_held[name];
    }

    private async Task OpenAsync(int watcher)
    {
        var connection = bench.Own(new Http2Connection(bench.Loop, server.Port));
        var first = LeaseRequest.NameOf(part.Prefix, 0);
        await EtcdWatch.OpenAsync(connection, first, part.IsPrefix ? LeaseRequest.NameOf(part.Prefix, part.Names) : null, (key, deleted) =>
        {
            var name = int.Parse(key.AsSpan(part.Prefix.Length), CultureInfo.InvariantCulture);
            // Its versions begin again with each creation. Creations and deletions take turns, from the first.
            var next = _changes.Next(watcher, name);
            _changes.Receive(watcher, name, deleted == (next % 2 == 0) ? next : next + 1);
        });
    }
}
