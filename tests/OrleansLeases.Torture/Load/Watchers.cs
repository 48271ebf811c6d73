using System.Collections.Concurrent;
using System.Globalization;
using OrleansLeases.Client;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Load;

/// <summary>
/// Three watchers over HTTP beside a load, one of a resource, one of a key and one of a prefix, and who writes the key.
/// They connect again by themselves; what they are told is checked as it comes, and written down as faults in the ledger.
/// </summary>
internal sealed class Watchers : IAsyncDisposable
{
    private const string Resource = "jobs/hot";
    private const string Key = "jobs/key";
    private const string Prefix = "jobs/";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private readonly LoadRun _run;
    private readonly HttpClient _http;
    private readonly HttpLeaseService _leases;
    private readonly CancellationTokenSource _stopWriting = new();
    private readonly CancellationTokenSource _stopReading = new();
    private readonly ConcurrentDictionary<string, long> _seenUnderPrefix = new();
    private readonly ConcurrentDictionary<long, bool> _grantsSeen = new();
    private readonly ConcurrentDictionary<(string Resource, long Token), bool> _grantsSeenUnderPrefix = new();
    private readonly ConcurrentDictionary<long, string?> _putsSeen = new();
    private readonly List<(long Version, string Value)> _written = [];
    private readonly Task[] _readers;
    private readonly Task _writer;
    private int _resyncsUnderPrefix;

    private Watchers(LoadRun run, HttpClient http, HttpLeaseService leases, LeaseWatch ofResource, LeaseWatch ofKey, LeaseWatch ofPrefix)
    {
        (_run, _http, _leases) = (run, http, leases);
        _writer = Task.Run(WriteAsync);
        _readers =
        [
            Task.Run(() => ReadAsync(ofResource, NoteGrant)), Task.Run(() => ReadAsync(ofKey, NotePut)),
            Task.Run(() => ReadPrefixAsync(ofPrefix)),
        ];
    }

    public static async Task<Watchers> StartAsync(LoadRun run)
    {
        var http = new HttpClient(new ToRunningServer(run)) { BaseAddress = run.Server.Http.BaseAddress };
        var leases = new HttpLeaseService(http) { CallTimeout = TimeSpan.FromSeconds(10) };
        return new(
            run, http, leases, await WatchAsync(new() { Resource = Resource, Since = new(0) }),
            await WatchAsync(new() { Key = Key, Since = new(0) }), await WatchAsync(new() { Prefix = Prefix }));

        async Task<LeaseWatch> WatchAsync(WatchRequest request) => (await leases.WatchAsync(request)).Value;
    }

    /// <summary>Once the load has ended: everything that was acknowledged has been seen, or a resync was told between.</summary>
    public async Task AssertSoundAsync()
    {
        await _stopWriting.CancelAsync();
        await _writer.WaitAsync(WaitTimeout);

        // Connected and listening again: from now on the prefix has no gap either.
        await UntilAsync(() => _putsSeen.ContainsKey(_written[^1].Version));
        for (var number = _written.Count; _seenUnderPrefix.GetValueOrDefault(Key) < _written[^1].Version; number++)
        {
            await PutAsync(number, CancellationToken.None);
        }

        foreach (var resource in LoadRun.Resources)
        {
            var grant = await _run.AcquireInTheEndAsync(resource, "last");
            await UntilAsync(
                () => _grantsSeenUnderPrefix.ContainsKey((resource, grant.Token))
                    && (resource != Resource || _grantsSeen.ContainsKey(grant.Token)));
        }

        await UntilAsync(() => _putsSeen.ContainsKey(_written[^1].Version));

        Assert.All(
            _run.Ledger.Tenures.Where(tenure => tenure.Resource == Resource),
            tenure => Assert.True(_grantsSeen.ContainsKey(tenure.Token), $"{tenure} was never told of."));
        Assert.All(
            _written,
            put => Assert.True(
                _putsSeen.TryGetValue(put.Version, out var value) && (value ?? put.Value) == put.Value,
                $"{put} was not told of, or as {value}."));
        Assert.NotEqual(0, _resyncsUnderPrefix);
        Assert.Empty(_run.Ledger.FindFaults());
    }

    public async ValueTask DisposeAsync()
    {
        await _stopWriting.CancelAsync();
        await _stopReading.CancelAsync();
        await Task.WhenAny(Task.WhenAll([_writer, .. _readers]));
        _http.Dispose();
        _stopWriting.Dispose();
        _stopReading.Dispose();
    }

    private async Task WriteAsync()
    {
        for (var number = 0; !_stopWriting.IsCancellationRequested; number++) await PutAsync(number, _stopWriting.Token);
    }

    private async Task PutAsync(int number, CancellationToken stop)
    {
        var value = number.ToString(CultureInfo.InvariantCulture);
        while (true)
        {
            var answer = await _leases.PutKeyAsync(Key, new PutKeyRequest { Value = value, RequestId = value }, CancellationToken.None);
            if (answer.TryGetValue(out var put, out var refusal)) _written.Add((put.Version, value));
            else if (refusal is not (Refusal.OutcomeUnknown or Refusal.Unavailable)) _run.Ledger.Fault($"a put was told {refusal}");
            await LoadRun.ForAsync(Pause);
            if (put is not null || stop.IsCancellationRequested) return;
        }
    }

    /// <summary>
    /// Of one record every change comes once and in order. The server has it on disk and remembers more than can happen meanwhile: a
    /// resync is a fault.
    /// </summary>
    private async Task ReadAsync(LeaseWatch watch, Action<WatchEvent> note)
    {
        var last = 0L;
        await foreach (var told in watch.WithCancellation(_stopReading.Token))
        {
            var (_, number) = Identify(told);
            if (number != last + 1) _run.Ledger.Fault($"After change {last} a watcher was told {told}.");
            last = number;
            note(told);
        }
    }

    /// <summary>Under a prefix the changes of a name come in order, with a gap only where resync was told in between.</summary>
    private async Task ReadPrefixAsync(LeaseWatch watch)
    {
        HashSet<string> known = [];
        await foreach (var told in watch.WithCancellation(_stopReading.Token))
        {
            if (told is WatchEvent.Resync)
            {
                known.Clear();
                _resyncsUnderPrefix++;
                continue;
            }

            var (name, number) = Identify(told);
            var last = _seenUnderPrefix.GetValueOrDefault(name);
            if (known.Add(name) ? number <= last : number != last + 1)
            {
                _run.Ledger.Fault($"After change {last} of {name} the watcher of the prefix was told {told}.");
            }

            _seenUnderPrefix[name] = number;
            if (told is WatchEvent.LeaseChanged { Lease: { Kind: LeaseEventKind.Granted } grant })
            {
                _grantsSeenUnderPrefix[(name, grant.Token)] = true;
            }
        }
    }

    private void NoteGrant(WatchEvent told)
    {
        if (told is WatchEvent.LeaseChanged { Lease: { Kind: LeaseEventKind.Granted } grant } && !_grantsSeen.TryAdd(grant.Token, true))
            _run.Ledger.Fault($"The grant of token {grant.Token} was told twice.");
    }

    private void NotePut(WatchEvent told)
    {
        if (told is WatchEvent.KeyChanged { Key: { Kind: KeyEventKind.KeyPut } put }) _putsSeen[put.Version] = put.Value;
    }

    private static (string Name, long Number) Identify(WatchEvent told) => told switch
    {
        WatchEvent.LeaseChanged changed => (changed.Lease.Resource!, changed.Lease.Sequence),
        WatchEvent.KeyChanged changed => (changed.Key.Key, changed.Key.Version),
        _ => ("", -1),
    };

    private async Task UntilAsync(Func<bool> happened)
    {
        using var timeout = new CancellationTokenSource(WaitTimeout);
        while (!happened())
        {
            foreach (var reader in _readers.Where(reader => reader.IsCompleted)) await reader;
            await Task.Delay(Pause, TimeProvider.System, timeout.Token);
        }
    }

    /// <summary>A server that was replaced listens elsewhere.</summary>
    private sealed class ToRunningServer(LoadRun run) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new Uri(run.Server.Http.BaseAddress!, request.RequestUri!.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
