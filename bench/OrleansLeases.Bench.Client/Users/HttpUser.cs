using System.Net.Http.Json;
using System.Text.Json;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Client.Users;

// Our service without our library: HttpClient and its JSON, a request a call.
internal sealed class HttpUser(string library, int port, int workers) : IRenewingUser
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
    private readonly long[] _held = new long[workers];

    public string Library => library;

    public async Task CycleAsync(int worker)
    {
        var (resource, owner) = ($"plain/{worker}", $"worker-{worker}");
        var token = await TokenAsync("acquire", new { resource, owner, ttlMs = 60_000 });
        await TokenAsync("release", new { resource, owner, token });
    }

    public async Task HoldAsync(int worker) =>
        _held[worker] = await TokenAsync(
            "acquire", new { resource = $"plain-held/{worker}", owner = $"worker-{worker}", ttlMs = 3_600_000 });

    public async Task RenewAsync(int worker)
    {
        var token = await TokenAsync("renew", new { resource = $"plain-held/{worker}", owner = $"worker-{worker}", token = _held[worker] });
        if (token != _held[worker])
            throw new BenchException($"The renewal of token {_held[worker]} came with {token}.");
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<long> TokenAsync(string verb, object body)
    {
        using var response = await _http.PostAsJsonAsync($"/v1/leases/{verb}", body);
        if (!response.IsSuccessStatusCode)
            throw new BenchException($"{verb}: {await response.Content.ReadAsStringAsync()}");
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetInt64();
    }
}
