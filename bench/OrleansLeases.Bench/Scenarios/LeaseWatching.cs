using System.Buffers.Text;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http;
using OrleansLeases.Bench.Leases;

namespace OrleansLeases.Bench.Scenarios;

// Each name is acquired and released in turn, over a connection of its own; each watcher has one too.
internal sealed class LeaseWatching(Bench bench, ServerProcess server, WatchPart part)
{
    private static readonly byte[] Resource = "\"resource\":\""u8.ToArray();

    private readonly LeaseClient[] _clients = bench.LeaseClients(server, part.Names, part.Prefix, "owner");
    private readonly long[] _tokens = new long[part.Names];
    private readonly WatchedChanges _changes = new(part.Names, part.Watchers);
    private bool _opened;

    public async Task RunAsync(TimeSpan time, WatchFigures figures)
    {
        if (!_opened)
            await bench.Loop.WhenAll(part.Watchers, OpenAsync);
        _opened = true;
        _changes.Figures = figures;
        var start = Clock.Now;
        await new PacedLoad(bench.Loop, part.Names, part.Interval).RunAsync((name, _, _) => ChangeAsync(name), start, start + time);
        await _changes.WaitForAllAsync(bench.Loop);
    }

    private async ValueTask ChangeAsync(int name)
    {
        var change = _changes.Send(name);
        if (_tokens[name] == 0)
        {
            _tokens[name] = (await _clients[name].AcquireAsync(name)).Token;
        }
        else
        {
            await _clients[name].ReleaseAsync(name, _tokens[name]);
            _tokens[name] = 0;
        }

        _changes.Reply(change);
    }

    private async Task OpenAsync(int watcher)
    {
        var path = part.IsPrefix ? $"/v1/watch?prefix={part.Prefix}" : $"/v1/watch?resource={LeaseRequest.NameOf(part.Prefix, 0)}";
        bench.Own(
            await EventStreamConnection.OpenAsync(
                bench.Loop, server.Port, path, change => _changes.Receive(watcher, NameOf(change), change.Number("\"sequence\":"u8))));
    }

    private int NameOf(HttpAnswer change)
    {
        var at = change.Body.Span.IndexOf(Resource) + Resource.Length + part.Prefix.Length;
        return Utf8Parser.TryParse(change.Body.Span.Slice(at, LeaseRequest.NameDigits), out int name, out _)
            ? name
            : throw new BenchException($"An event of no known resource: {change}");
    }
}
