using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Keys of proofs that have leaked: retired at once, which all who check proofs follow within the time that is promised.</summary>
public sealed class ProofKeyTests : IAsyncLifetime
{
    private const string Path = "/v1/proof-keys";

    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private readonly ManualTimeProvider _time = new();
    private GatewayHost _first = null!, _second = null!;

    public async Task InitializeAsync() => (_first, _second) = (await StartAsync(), await StartAsync());

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _leases.DisposeAsync();
    }

    [Fact]
    public async Task Retired_TheirProofsPassNoLonger_AtEveryServerWithinAMinute_AndAtEveryVerifierWithinFiveMore()
    {
        // The next one is published ahead, and has leaked with the one that signs.
        await ProveAsync(_first, "made first");
        _time.Advance(TimeSpan.FromDays(29));
        var (atFirst, atSecond) = (VerifierOf(_first), VerifierOf(_second));
        var stolen = await ProveAsync(_second, "orders/42");
        Assert.NotNull(await atFirst.VerifyAsync(stolen));
        Assert.NotNull(await atSecond.VerifyAsync(stolen));
        var before = await KeyIdsAsync(_first);
        Assert.Equal(2, before.Length);

        var retired = await RetireAsync(_first);

        Assert.Equal(before, retired.Retired);
        Assert.Equal([retired.KeyId], await KeyIdsAsync(_first));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([retired.KeyId], await KeyIdsAsync(_second));
        // Who comes with a key that is new to them makes them fetch it.
        Assert.NotNull(await atSecond.VerifyAsync(await ProveAsync(_second, "a")));
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Null(await atFirst.VerifyAsync(stolen));
        Assert.Null(await atSecond.VerifyAsync(stolen));
        Assert.NotNull(await atFirst.VerifyAsync(await ProveAsync(_first, "b")));
        var proved = await VerifierOf(_first).VerifyAsync(await ProveAsync(_first, "c"));
        Assert.Equal((await InfoAsync(_first)).Service, proved!.Service);
    }

    [Fact]
    public async Task Holder_WhoseProofPassesNoLonger_GetsAnotherForTheSameGrant()
    {
        const string Same = ""","requestId":"r","proof":true""";
        var first = await AcquireAsync(_first, "orders/42", Same);
        await RetireAsync(_first);

        var again = await AcquireAsync(_first, "orders/42", Same);

        Assert.Equal(first.Token, again.Token);
        var verifier = VerifierOf(_first);
        Assert.Null(await verifier.VerifyAsync(first.Proof!));
        Assert.Equal(first.Token, (await verifier.VerifyAsync(again.Proof!))!.Token);
    }

    [Fact]
    public async Task Retired_ByTwoServersAtOnce_LeaveOneKeyThatBothUse()
    {
        await ProveAsync(_first, "a");

        await Task.WhenAll(RetireAsync(_first), RetireAsync(_second));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Assert.Single(await KeyIdsAsync(_first)), Assert.Single(await KeyIdsAsync(_second)));
    }

    [Fact]
    public async Task Retiring_TakesTheRightAdmin_AndAPlaceForKeys_AndIsRecorded()
    {
        var rights = LeaseRights.Hold;
        await using var host = await StartAsync(
            services => services.AddLeaseAudit(),
            gateway => gateway.Authenticate = _ => new(new LeaseCaller(
                "ann", () => new AccessRights("ann", [new() { Prefix = "", Rights = rights, Owners = ["*"] }]))));
        await AcquireAsync(host, "a", ""","proof":true""");
        var before = await KeyIdsAsync(host);

        Assert.Equal(403, (await DeleteAsync(host, Path)).Status);
        Assert.Equal(before, await KeyIdsAsync(host));
        rights = LeaseRights.Admin;
        Assert.Equal(400, (await DeleteAsync(host, Path + "?all=true")).Status);
        Assert.Equal(400, (await DeleteAsync(host, Path, new StringContent("{}"))).Status);
        Assert.Equal(before, await KeyIdsAsync(host));
        Assert.Equal(200, (await DeleteAsync(host, Path)).Status);
        Assert.NotEqual(before, await KeyIdsAsync(host));
        Assert.Equal(
            ["forbidden", "ok"],
            host.Log.Of(AuditLog.Category).Where(line => line.StartsWith("retire-proof-keys", StringComparison.Ordinal))
                .Select(line => line.Contains(": ok;", StringComparison.Ordinal) ? "ok" : "forbidden"));

        await using var without = await GatewayHost.StartAsync(_leases);
        Assert.Equal(403, (await DeleteAsync(without, Path)).Status);
    }

    // Whoever comes while the keys are fetched again is not kept waiting for it.
    [Fact]
    public async Task Verifier_WhileItFetchesKeysAgain_ChecksByThoseThatItHas_UntilTheyAreFiveMinutesOld()
    {
        var proof = await ProveAsync(_first, "a");
        var gate = new Gate();
        var verifier = new LeaseProofVerifier(new HttpClient(gate), _first.Address, new() { Time = _time });
        await verifier.VerifyAsync(proof);
        gate.Open = new();
        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.NotNull(await verifier.VerifyAsync(proof));
        await gate.Asked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromMinutes(3));
        var late = verifier.VerifyAsync(proof).AsTask();

        Assert.False(late.IsCompleted);
        gate.Open.SetResult();
        Assert.NotNull(await late);
    }

    private Task<GatewayHost> StartAsync(Action<IServiceCollection>? more = null, Action<LeaseGatewayOptions>? options = null) =>
        GatewayHost.StartAsync(_leases, time: _time, options: options, services: services =>
        {
            services.AddSingleton(_leases.ServiceRecords);
            more?.Invoke(services);
        });

    private LeaseProofVerifier VerifierOf(GatewayHost host) => new(new HttpClient(), host.Address, new() { Time = _time });

    private static async Task<RetiredProofKeys> RetireAsync(GatewayHost host)
    {
        var reply = await DeleteAsync(host, Path);
        Assert.Equal(200, reply.Status);
        return JsonSerializer.Deserialize(reply.Body.GetRawText(), LeaseJson.Default.RetiredProofKeys)!;
    }

    private static async Task<(int Status, JsonElement Body)> DeleteAsync(
        GatewayHost host, string path, HttpContent? body = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, path) { Content = body };
        using var response = await host.Client.SendAsync(request);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    private static async Task<string> ProveAsync(GatewayHost host, string resource) =>
        (await AcquireAsync(host, resource, ""","proof":true""")).Proof!;

    private static async Task<LeaseGrant> AcquireAsync(GatewayHost host, string resource, string more)
    {
        var reply = await host.PostAsync("/v1/leases/acquire", $$"""{"resource":"{{resource}}","owner":"ann","ttlMs":30000{{more}}}""");
        Assert.Equal(200, reply.Status);
        return JsonSerializer.Deserialize(reply.Body.GetRawText(), LeaseJson.Default.LeaseGrant)!;
    }

    private static async Task<ServiceInfo> InfoAsync(GatewayHost host) =>
        JsonSerializer.Deserialize((await host.GetAsync("/v1/info")).Body.GetRawText(), LeaseJson.Default.ServiceInfo)!;

    private static async Task<string[]> KeyIdsAsync(GatewayHost host)
    {
        var jwks = JsonNode.Parse((await host.GetAsync("/.well-known/jwks.json")).Body.GetRawText())!;
        return [.. jwks["keys"]!.AsArray().Select(key => (string)key!["kid"]!)];
    }

    /// <summary>Holds back requests while it is closed.</summary>
    private sealed class Gate() : DelegatingHandler(new HttpClientHandler())
    {
        public TaskCompletionSource? Open { get; set; }

        public TaskCompletionSource Asked { get; } = new();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (Open is { } open)
            {
                Asked.TrySetResult();
                await open.Task.WaitAsync(cancellationToken);
            }

            return await base.SendAsync(request, cancellationToken);
        }
    }
}
