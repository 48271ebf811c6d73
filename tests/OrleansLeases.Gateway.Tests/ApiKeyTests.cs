using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>API keys: made, used, expired, revoked and forged, at one server and at another of the same store.</summary>
public sealed class ApiKeyTests : IAsyncLifetime
{
    private const string Rules = """
        { "rules": [
            { "principal": "root", "prefix": "", "verbs": ["admin"] },
            { "principal": "ci", "prefix": "jobs", "verbs": ["read", "hold"] } ],
          "quotas": [ { "principal": "ci", "prefix": "", "leases": 7 } ] }
        """;

    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private readonly ManualTimeProvider _time = new();
    private readonly string _file = Path.GetTempFileName();
    private GatewayHost _host = null!;
    private CreatedApiKey _root = null!;

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Rules);
        _root = await KeysOfAnotherServer().CreateAsync(new() { Name = "first", Principal = "root" }, default);
        _host = await GatewayHost.StartAsync(
            _leases,
            services: services => services.AddSingleton(_leases.ServiceRecords).AddSingleton<TimeProvider>(_time).AddLeaseAccess(_file));
        // A server that starts reads the keys beside its first calls.
        while ((await SendAsync(HttpMethod.Get, "/v1/whoami", _root.Token)).StatusCode == HttpStatusCode.ServiceUnavailable)
            await Task.Yield();
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
        File.Delete(_file);
    }

    [Fact]
    public async Task Key_ThatWasMade_IsItsPrincipalAtOnce()
    {
        var key = await CreateAsync("build", "ci");

        Assert.Matches("^olk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$", key.Token);
        Assert.Equal(HttpStatusCode.OK, (await AcquireAsync(key.Token, "jobs/1")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await AcquireAsync(key.Token, "other")).StatusCode);
        var reply = await SendAsync(HttpMethod.Get, "/v1/whoami", key.Token);
        var me = (await reply.Content.ReadFromJsonAsync(LeaseJson.Default.CallerInfo))!;
        Assert.Equal("ci", me.Principal);
        Assert.Equal(["read", "hold"], Assert.Single(me.Rules).Verbs);
        Assert.Equal(7, Assert.Single(me.Quotas).Leases);
        Assert.DoesNotContain(key.Token[21..], await ListTextAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(_host.Log.Texts, text => text.Contains(key.Token[21..], StringComparison.Ordinal));
    }

    [Fact]
    public async Task Credential_ThatIsNoValidKey_IsUnauthorized()
    {
        var key = await CreateAsync("build", "ci");
        var other = await CreateAsync("other", "ci");
        foreach (var token in new[]
        {
            "", "x", "olk_", key.Token[..^1], key.Token + "A", key.Token.ToUpperInvariant(), key.Token[..21] + other.Token[21..],
            key.Token[..^1] + (key.Token[^1] == 'A' ? 'B' : 'A'), "olk_0123456789abcdef_" + key.Token[21..],
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.",
        })
            Assert.Equal(HttpStatusCode.Unauthorized, (await AcquireAsync(token, "jobs/1")).StatusCode);

        Assert.Null(await FindAsync(KeysOfAnotherServer(), key.Token[..21] + new string('\u00e9', 43)));
        // As it is on the wire: a client of .NET would make one header of two.
        foreach (var second in new[] { key.Token, other.Token, "x" })
        {
            await using var connection = await _host.ConnectAsync();
            await connection.SendAsync(
                "GET /v1/whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + $"Authorization: Bearer {key.Token}\r\nauthorization: Bearer {second}\r\n\r\n");
            var reply = await connection.ReadAsync();
            Assert.StartsWith("HTTP/1.1 401", reply, StringComparison.Ordinal);
            Assert.Contains("several Authorization headers", reply, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Key_ThatHasExpired_IsUnauthorized()
    {
        var key = await CreateAsync("build", "ci", "60000");
        Assert.Equal(HttpStatusCode.OK, (await AcquireAsync(key.Token, "jobs/1")).StatusCode);

        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(HttpStatusCode.Unauthorized, (await AcquireAsync(key.Token, "jobs/2")).StatusCode);
    }

    [Fact]
    public async Task Key_ThatWasRevoked_IsUnauthorizedHereAtOnce_AndElsewhereAfterTheNextReading()
    {
        var key = await CreateAsync("build", "ci");
        var elsewhere = KeysOfAnotherServer();
        var caller = await FindAsync(elsewhere, key.Token);
        Assert.NotNull(caller);

        var withBody = await SendAsync(HttpMethod.Delete, $"/v1/tokens/{key.Id}", _root.Token, "{}");
        Assert.Equal(HttpStatusCode.BadRequest, withBody.StatusCode);
        var revoked = await SendAsync(HttpMethod.Delete, $"/v1/tokens/{key.Id}", _root.Token);
        Assert.Contains("\"existed\":true", await revoked.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Unauthorized, (await AcquireAsync(key.Token, "jobs/1")).StatusCode);
        await elsewhere.RefreshAsync(default);
        Assert.Null(await FindAsync(elsewhere, key.Token));
        // What it had begun goes on without rights.
        Assert.Same(AccessRights.None, caller.Rights);
        Assert.DoesNotContain("build", await ListTextAsync(), StringComparison.Ordinal);
        var again = await SendAsync(HttpMethod.Delete, $"/v1/tokens/{key.Id}", _root.Token);
        Assert.Contains("\"existed\":false", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_AreMadeListedAndRevokedByAdminsOnly()
    {
        var key = await CreateAsync("build", "ci");
        foreach (var (method, path) in new[]
        {
            (HttpMethod.Get, "/v1/tokens"), (HttpMethod.Post, "/v1/tokens"), (HttpMethod.Delete, $"/v1/tokens/{_root.Id}"),
        })
        {
            var reply = await SendAsync(method, path, key.Token, """{"name":"x","principal":"root"}""");
            Assert.Equal(HttpStatusCode.Forbidden, reply.StatusCode);
        }

        Assert.Contains("first", await ListTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_ThatAreMadeAndRevoked_AreInTheAudit_WithWhomTheyAreFor()
    {
        var key = await CreateAsync("build", "ci");
        await SendAsync(HttpMethod.Delete, $"/v1/tokens/{key.Id}", _root.Token);

        var logged = _host.Log.Of(AuditLog.Category);
        Assert.Equal(2, logged.Count);
        Assert.StartsWith($"create-token of '{key.Id}' for the owner 'ci' with token", logged[0], StringComparison.Ordinal);
        Assert.StartsWith($"revoke-token of '{key.Id}'", logged[1], StringComparison.Ordinal);
        Assert.DoesNotContain(logged, line => line.Contains(key.Token[21..], StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"principal":"ci"}""", "name")]
    [InlineData("""{"name":"","principal":"ci"}""", "name")]
    [InlineData("""{"name":"x","principal":"a//b"}""", "principal")]
    [InlineData("""{"name":"x","principal":""}""", "principal")]
    [InlineData("""{"name":"x","principal":"ci","expiresInMs":0}""", "expiresInMs")]
    public async Task Key_AskedForWrongly_NamesTheField(string body, string field)
    {
        var reply = await SendAsync(HttpMethod.Post, "/v1/tokens", _root.Token, body);

        Assert.Equal(HttpStatusCode.BadRequest, reply.StatusCode);
        Assert.Contains($"\"{field}\":[", await reply.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Use_OfAKey_IsNotedAMinuteLater()
    {
        var keys = KeysOfAnotherServer();
        var key = await keys.CreateAsync(new() { Name = "build", Principal = "ci" }, default);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotNull(await FindAsync(keys, key.Token));

        await keys.NoteUsesAsync(default);

        var listed = (await KeysOfAnotherServer().ListAsync(default)).Tokens.Single(listed => listed.Id == key.Id);
        Assert.Equal(_time.GetUtcNow(), listed.LastUsed);
    }

    [Fact]
    public async Task Ids_ThatAreNotKnown_AreLookedUpAFewTimesOnly()
    {
        var records = new CountingRecords(_leases.ServiceRecords);
        var keys = new ApiKeys(records, _ => AccessRights.None, _time, NullLogger<ApiKeys>.Instance);
        for (var i = 0; i < 1_000; i++) Assert.Null(await FindAsync(keys, ApiKeyText.New().Token));
        Assert.InRange(records.Loads, 1, 20);

        await keys.RefreshAsync(default);
        Assert.NotNull(await FindAsync(keys, _root.Token));
    }

    [Fact]
    public async Task Server_ThatHasNotReadTheKeys_SaysSoInsteadOfRefusingThem()
    {
        var records = new CountingRecords(_leases.ServiceRecords) { IsAway = true };
        await using var host = await GatewayHost.StartAsync(
            _leases,
            services: services => services.AddSingleton<IServiceRecords>(records).AddSingleton<TimeProvider>(_time).AddLeaseAccess(_file));
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", _root.Token);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.Client.GetAsync("/v1/tokens")).StatusCode);

        records.IsAway = false;
        var status = HttpStatusCode.ServiceUnavailable;
        await _time.AdvanceUntilAsync(
            async () => (status = (await host.Client.GetAsync("/v1/tokens")).StatusCode) != HttpStatusCode.ServiceUnavailable,
            TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public async Task Keys_WhileTheStoreIsAway_StayValid()
    {
        var records = new CountingRecords(_leases.ServiceRecords);
        var keys = new ApiKeys(records, _ => AccessRights.None, _time, NullLogger<ApiKeys>.Instance);
        await keys.RefreshAsync(default);

        records.IsAway = true;
        await keys.RefreshAsync(default);

        Assert.NotNull(await FindAsync(keys, _root.Token));
    }

    [Fact]
    public async Task Rules_ThatChange_HoldForAKeyThatIsInUse()
    {
        var key = await CreateAsync("build", "ci");
        Assert.Equal(HttpStatusCode.Forbidden, (await AcquireAsync(key.Token, "other")).StatusCode);

        await File.WriteAllTextAsync(_file, Rules.Replace("\"jobs\"", "\"other\"", StringComparison.Ordinal));
        var status = HttpStatusCode.Forbidden;
        await _time.AdvanceUntilAsync(
            async () => (status = (await AcquireAsync(key.Token, "other")).StatusCode) != HttpStatusCode.Forbidden,
            TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Fact]
    public void Hash_OfAHeader_IsKeptForThatStringAndNoOther()
    {
        var proven = new ProvenKeys();
        var header = $"Bearer {_root.Token}";
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        proven.Hash(header, _root.Token, hash);
        var real = hash.ToArray();
        byte[] noted = [.. Enumerable.Repeat((byte)7, real.Length)];

        proven.Note(header, noted);
        proven.Hash(header, _root.Token, hash);
        Assert.Equal(noted, hash.ToArray());

        proven.Hash(new string(header), _root.Token, hash);
        Assert.Equal(real, hash.ToArray());
    }

    private ApiKeys KeysOfAnotherServer() =>
        new(_leases.ServiceRecords, principal => new(principal, []), _time, NullLogger<ApiKeys>.Instance);

    private static async Task<LeaseCaller?> FindAsync(ApiKeys keys, string token)
    {
        return await Find();

        ValueTask<LeaseCaller?> Find()
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            ApiKeyText.Hash(token, hash);
            return ApiKeyText.TryParse(token, out var id) ? keys.FindAsync(hash, id) : default;
        }
    }

    private async Task<CreatedApiKey> CreateAsync(string name, string principal, string expires = "null")
    {
        var body = $$"""{"name":"{{name}}","principal":"{{principal}}"{{(expires == "null" ? "" : $",\"expiresInMs\":{expires}")}}}""";
        var reply = await SendAsync(HttpMethod.Post, "/v1/tokens", _root.Token, body);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return (await reply.Content.ReadFromJsonAsync(LeaseJson.Default.CreatedApiKey))!;
    }

    private async Task<string> ListTextAsync() =>
        await (await SendAsync(HttpMethod.Get, "/v1/tokens", _root.Token)).Content.ReadAsStringAsync();

    private Task<HttpResponseMessage> AcquireAsync(string token, string resource) => SendAsync(
        HttpMethod.Post, "/v1/leases/acquire", token, $$"""{"resource":"{{resource}}","owner":"ci","ttlMs":60000}""");

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string token, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        if (body is not null) request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        return await _host.Client.SendAsync(request);
    }

    private sealed class CountingRecords(IServiceRecords inner) : IServiceRecords
    {
        public int Loads { get; private set; }

        public bool IsAway { get; set; }

        public ValueTask<ServiceRecord> LoadAsync(string name, CancellationToken cancellationToken = default)
        {
            Loads++;
            return inner.LoadAsync(name, cancellationToken);
        }

        public ValueTask<ServiceRecord?> TrySaveAsync(ServiceRecord read, string? value, CancellationToken cancellationToken = default) =>
            inner.TrySaveAsync(read, value, cancellationToken);

        public ValueTask<IReadOnlyList<ServiceRecord>> ListAsync(string prefix, CancellationToken cancellationToken = default) =>
            IsAway ? throw new IOException("The store is away.") : inner.ListAsync(prefix, cancellationToken);
    }
}
