using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using OrleansLeases.Client;
using OrleansLeases.Cluster.Tests.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>Credentials and rights where one silo makes what another one asks for.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string RootToken = "olk_0000000000000001_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    private readonly string _file = Path.GetTempFileName();
    private readonly List<HttpClient> _clients = [];
    private LeaseCluster _cluster = null!;

    public async Task InitializeAsync()
    {
        await WriteAsync("jobs");
        _cluster = await LeaseCluster.StartAsync(silos: 2, settings: ("Access", _file));
    }

    public async Task DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        await _cluster.DisposeAsync();
        File.Delete(_file);
    }

    [Fact]
    public async Task Key_MadeAndRevokedAtOneSilo_IsKnownAndRefusedAtTheOther()
    {
        var made = await CallerAt(0, RootToken).PostAsJsonAsync("/v1/tokens", new { name = "build", principal = "ci" });
        var key = (await made.Content.ReadFromJsonAsync(LeaseJson.Default.CreatedApiKey))!;
        var there = CallerAt(1, key.Token);

        Assert.Equal(HttpStatusCode.OK, (await AcquireAsync(there, "jobs/1")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await AcquireAsync(there, "other")).StatusCode);
        await CallerAt(0, RootToken).DeleteAsync($"/v1/tokens/{key.Id}");

        await Eventually.TrueAsync(
            async () => (await AcquireAsync(there, "jobs/2")).StatusCode == HttpStatusCode.Unauthorized, () => "The key is still valid.");
    }

    [Fact]
    public async Task Watch_AtOneSilo_ShowsWhatMayBeReadOfTheOther_ByTheRulesOfTheMoment()
    {
        var made = await CallerAt(0, RootToken).PostAsJsonAsync("/v1/tokens", new { name = "build", principal = "ci" });
        var key = (await made.Content.ReadFromJsonAsync(LeaseJson.Default.CreatedApiKey))!;
        var root = new HttpLeaseService(CallerAt(0, RootToken));
        await using var watch = (await new HttpLeaseService(CallerAt(1, key.Token)).WatchAsync(new() { Prefix = "" })).Value;
        await using var events = watch.GetAsyncEnumerator();

        await GrantAsync(root, "other/1");
        await GrantAsync(root, "jobs/1");
        Assert.Equal("jobs/1", await NextAsync(events));

        await WriteAsync("other");
        await Eventually.TrueAsync(
            async () => (await CallerAt(1, key.Token).GetAsync("/v1/leases/jobs/1")).StatusCode == HttpStatusCode.Forbidden,
            () => "The new rules are not read.");
        await GrantAsync(root, "jobs/2");
        await GrantAsync(root, "other/2");
        Assert.Equal("other/2", await NextAsync(events));
    }

    private static async Task GrantAsync(HttpLeaseService leases, string resource) =>
        Assert.Null((await leases.AcquireAsync(new() { Resource = resource, Owner = "root", Ttl = LeaseCluster.LongestTtl })).Refusal);

    private static async Task<string> NextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Eventually.WaitTimeout));
        return events.Current is WatchEvent.LeaseChanged change ? change.Lease.Resource! : events.Current.Name;
    }

    private static Task<HttpResponseMessage> AcquireAsync(HttpClient caller, string resource) => caller.PostAsync(
        "/v1/leases/acquire",
        new StringContent($$"""{"resource":"{{resource}}","owner":"ci","ttlMs":1000}""", Encoding.UTF8, "application/json"));

    private HttpClient CallerAt(int silo, string token)
    {
        var client = new HttpClient { BaseAddress = _cluster.Silos[silo].Address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        _clients.Add(client);
        return client;
    }

    private Task WriteAsync(string readable)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(RootToken)));
        return File.WriteAllTextAsync(_file, $$"""
            { "keys": [ { "id": "0000000000000001", "name": "root", "principal": "root", "sha256": "{{hash}}" } ],
              "rules": [
                { "principal": "root", "prefix": "", "verbs": ["admin", "hold"] },
                { "principal": "ci", "prefix": "{{readable}}", "verbs": ["read", "hold"] } ] }
            """);
    }
}
