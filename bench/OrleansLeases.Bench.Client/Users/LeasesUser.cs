using OrleansLeases.Bench.Driving;
using OrleansLeases.Client;

namespace OrleansLeases.Bench.Client.Users;

// Our client library.
internal sealed class LeasesUser : IRenewingUser
{
    private static readonly LeaseOptions Options = new() { Ttl = TimeSpan.FromMinutes(1) };

    private readonly HttpClient _http;
    private readonly HttpLeaseService _service;
    private readonly LeaseClient _client;
    private readonly long[] _last;
    private readonly RenewRequest[] _held;

    public LeasesUser(string library, int port, int workers)
    {
        Library = library;
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        _service = new HttpLeaseService(_http);
        _client = new LeaseClient(_service);
        (_last, _held) = (new long[workers], new RenewRequest[workers]);
    }

    public string Library { get; }

    public async Task CycleAsync(int worker)
    {
        await using var lease = await _client.AcquireAsync($"users/{worker}", Options);
        if (!lease.IsValid() || lease.Token <= _last[worker])
            throw new BenchException($"{lease} was granted after token {_last[worker]}.");
        _last[worker] = lease.Token;
    }

    public async Task HoldAsync(int worker)
    {
        var request = new AcquireRequest { Resource = $"held/{worker}", Owner = $"worker-{worker}", Ttl = TimeSpan.FromHours(1) };
        var token = (await _service.AcquireAsync(request)).Value.Token;
        _held[worker] = new RenewRequest { Resource = request.Resource, Owner = request.Owner, Token = token };
    }

    public async Task RenewAsync(int worker)
    {
        var renewal = (await _service.RenewAsync(_held[worker])).Value;
        if (renewal.Token != _held[worker].Token || renewal.Remaining <= TimeSpan.Zero)
            throw new BenchException($"A renewal of {_held[worker]} came as {renewal}.");
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _http.Dispose();
    }
}
