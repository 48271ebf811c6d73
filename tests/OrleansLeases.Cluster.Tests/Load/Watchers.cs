using System.Collections.Concurrent;

namespace OrleansLeases.Cluster.Tests.Load;

/// <summary>
/// Watchers of what a load changes, at every gateway: of each resource, of the key of the same name, and of all names. Some
/// are so on the silo that a test kills, and some elsewhere. Each change is to be told to each of them once and in order, or
/// resync.
/// </summary>
internal sealed class Watchers : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly string[] _resources;
    private readonly List<Watcher> _watchers = [];
    private readonly List<Task> _reading = [];

    private Watchers(string[] resources) => _resources = resources;

    /// <summary>What should not have happened.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>Starts them, at every gateway.</summary>
    public static async Task<Watchers> StartAsync(IEnumerable<ILeaseService> gateways, string[] resources, string prefix)
    {
        var all = new Watchers(resources);
        foreach (var gateway in gateways)
        {
            foreach (var request in resources.SelectMany(RequestsOf).Append(new() { Prefix = prefix }))
            {
                LeaseWatch? watch;
                // One of a prefix cannot begin before the cluster has noticed what an earlier test did to it.
                var started = TimeProvider.System.GetTimestamp();
                while (!(await gateway.WatchAsync(request)).TryGetValue(out watch, out var refusal))
                {
                    Assert.True(
                        refusal is Refusal.Unavailable && TimeProvider.System.GetElapsedTime(started) < Eventually.WaitTimeout,
                        $"{request} was told {refusal}");
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
                }

                var watcher = new Watcher(request, all.Faults);
                all._watchers.Add(watcher);
                all._reading.Add(Task.Run(() => watcher.ReadAsync(watch, all._stop.Token)));
            }
        }

        return all;
    }

    /// <summary>Once nobody changes anything any more: waits until the last change of everything was told, or resync.</summary>
    public async Task AssertNothingIsMissingAsync(ILeaseService gateway)
    {
        foreach (var resource in _resources)
        {
            foreach (var request in RequestsOf(resource))
            {
                var last = await LastAsync(gateway, request);
                foreach (var watcher in _watchers.Where(watcher => watcher.Covers(request)))
                {
                    await Eventually.TrueAsync(
                        () => watcher.HasSeen(request, last),
                        () => $"{watcher.Request} was told {watcher.Seen(request)} of {request}, whose last change is {last}.");
                }
            }
        }

        foreach (var watcher in _watchers) Assert.True(watcher.Told > 0, $"{watcher.Request} was told nothing at all.");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_reading), Task.Delay(Eventually.WaitTimeout, TimeProvider.System));
        _stop.Dispose();
    }

    private static IEnumerable<WatchRequest> RequestsOf(string name) => [new() { Resource = name }, new() { Key = name }];

    private static async Task<long> LastAsync(ILeaseService gateway, WatchRequest request)
    {
        await using var events = (await gateway.WatchAsync(request)).Value.GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        return events.Current.ResumeFrom!.Value.Sequence;
    }

    private sealed class Watcher(WatchRequest request, ConcurrentQueue<string> faults)
    {
        private readonly ConcurrentDictionary<(bool IsKey, string Name), long> _last = new();
        private bool _resynced;
        private int _told;

        public WatchRequest Request => request;

        public int Told => Volatile.Read(ref _told);

        public bool Covers(WatchRequest what) =>
            request.Prefix is { } prefix ? NameOf(what).Name.StartsWith(prefix, StringComparison.Ordinal) : NameOf(what) == NameOf(request);

        public string Seen(WatchRequest what) => _last.TryGetValue(NameOf(what), out var last) ? $"change {last}" : "nothing";

        // Under a prefix there is no state after a resync: whoever watches looks for it.
        public bool HasSeen(WatchRequest what, long last) =>
            _last.TryGetValue(NameOf(what), out var seen)
                ? seen >= last
                : request.Prefix is not null && (last == 0 || Volatile.Read(ref _resynced));

        public async Task ReadAsync(LeaseWatch watch, CancellationToken cancellationToken)
        {
            try
            {
                await foreach (var told in watch.WithCancellation(cancellationToken)) See(told);
                faults.Enqueue($"{request} ended.");
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
            }
            catch (Exception error)
            {
                faults.Enqueue($"{request} ended. {error}");
            }
        }

        private static (bool IsKey, string Name) NameOf(WatchRequest what) => (what.Key is not null, what.Key ?? what.Resource!);

        private void See(WatchEvent told)
        {
            Interlocked.Increment(ref _told);
            switch (told)
            {
                case WatchEvent.Resync:
                    Volatile.Write(ref _resynced, true);
                    _last.Clear();
                    break;
                case WatchEvent.LeaseSnapshot { Lease: var lease }:
                    _last[(false, lease.Resource)] = told.ResumeFrom!.Value.Sequence;
                    break;
                case WatchEvent.KeySnapshot { Key: var key }:
                    _last[(true, key.Key)] = told.ResumeFrom!.Value.Sequence;
                    break;
                case WatchEvent.LeaseChanged { Lease: var change }:
                    Follow((false, change.Resource!), change.Sequence);
                    break;
                case WatchEvent.KeyChanged { Key: var change }:
                    Follow((true, change.Key), change.Version);
                    break;
            }
        }

        private void Follow((bool IsKey, string Name) name, long number)
        {
            if (_last.TryGetValue(name, out var last) ? number != last + 1 : request.Prefix is null)
                faults.Enqueue($"{request} was told change {number} of '{name.Name}' after change {last}.");
            _last[name] = number;
        }
    }
}
