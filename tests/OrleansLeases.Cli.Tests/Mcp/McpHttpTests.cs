using System.Net;
using System.Text;
using System.Text.Json;
using ModelContextProtocol.Client;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>Several agents over HTTP, each with a key of its own.</summary>
public sealed class McpHttpTests(McpHttpTests.World world) : IClassFixture<McpHttpTests.World>
{
    private const string Initialize =
        """
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},
        "clientInfo":{"name":"raw","version":"1"}}}
        """;

    [Fact]
    public async Task Agents_HaveTheRightsOfTheirKeys_AndTheirLeasesEndWithTheirSessions()
    {
        await using var bob = await ConnectAsync(world.KeyOf("bob"));
        await using (var ann = await ConnectAsync(world.KeyOf("ann")))
        {
            var held = await CallAsync(ann, "acquire", "repo/main");
            var busy = await CallAsync(bob, "acquire", "repo/main");
            var forbidden = await CallAsync(ann, "acquire", "other");

            Assert.Equal(("held", "busy"), (held.Outcome, busy.Outcome));
            Assert.Matches("^ann/[^/]+$", held["lease"].GetProperty("owner").GetString()!);
            Assert.Equal(("forbidden", true), (forbidden.Outcome, forbidden.IsError));
            Assert.Contains("'hold' on 'other'", forbidden["detail"].GetString(), StringComparison.Ordinal);
        }

        Answer? next = null;
        await Eventually.TrueAsync(() => (next = CallAsync(bob, "acquire", "repo/main").Result).Outcome == "held", () => $"{next}");
    }

    [Fact]
    public async Task Session_IsOfThePrincipalThatBeganIt()
    {
        using var begun = await PostAsync(Initialize, world.KeyOf("ann"));
        var session = begun.Headers.GetValues("Mcp-Session-Id").Single();
        const string List = """{"jsonrpc":"2.0","id":2,"method":"tools/list"}""";

        using var own = await PostAsync(List, world.KeyOf("ann"), session);
        using var renewed = await PostAsync(List, world.KeyOf("ann-renewed"), session);
        using var others = await PostAsync(List, world.KeyOf("bob"), session);
        using var nobodys = await PostAsync(List, key: null, session);
        using var unknown = await PostAsync(List, "leases_0000000000000000_no", session);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (own.StatusCode, renewed.StatusCode));
        Assert.Equal(HttpStatusCode.Forbidden, others.StatusCode);
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (nobodys.StatusCode, unknown.StatusCode));
    }

    [Theory]
    [InlineData("Host", "rebound.example.org")]
    [InlineData("Origin", "https://evil.example.org")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task WebPage_OfAnotherOrigin_CannotCall(string header, string value)
    {
        using var refused = await PostAsync(Initialize, world.KeyOf("ann"), header: (header, value));

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains(value, await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(refused.Headers.Contains("Mcp-Session-Id"));
    }

    private static async Task<Answer> CallAsync(McpClient agent, string tool, string resource) =>
        Answer.Of(await agent.CallToolAsync(tool, new Dictionary<string, object?> { ["resource"] = resource }));

    private Task<McpClient> ConnectAsync(string key) => McpClient.CreateAsync(new HttpClientTransport(new()
    {
        Endpoint = world.Endpoint, AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = $"Bearer {key}" },
    }));

    private async Task<HttpResponseMessage> PostAsync(
        string body, string? key, string? session = null, (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, world.Endpoint);
        request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        if (session is not null) request.Headers.Add("Mcp-Session-Id", session);
        if (header is { } extra) request.Headers.TryAddWithoutValidation(extra.Name, extra.Value);
        return await world.Http.SendAsync(request);
    }

    /// <summary>A lease server that wants credentials, and an MCP server before it that has none.</summary>
    public sealed class World : IAsyncLifetime
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;
        private readonly Dictionary<string, string> _keys = [];
        private ServerProcess _server = null!;
        private Tool _mcp = null!;

        public HttpClient Http { get; } = new();

        public Uri Endpoint { get; private set; } = null!;

        public string KeyOf(string name) => _keys[name];

        public async Task InitializeAsync()
        {
            const string Listening = "Listening on ";
            var entries = new List<string>();
            foreach (var (name, principal) in new[] { ("ann", "ann"), ("ann-renewed", "ann"), ("bob", "bob") })
            {
                var made = await InProcess.RunAsync(null, "token", "create", name, "--principal", principal, "--for-file");
                var lines = made.Out.Split('\n');
                _keys[name] = lines[0];
                entries.Add(lines[1]);
            }

            var access = Path.Combine(_folder, "access.json");
            await File.WriteAllTextAsync(access, $$"""
                { "keys": [ {{string.Join(',', entries)}} ],
                  "rules": [ { "principal": "*", "prefix": "repo", "verbs": ["read", "hold"] } ] }
                """);
            _server = await ServerProcess.StartAsync("--memory", "--access", access);
            // Its own credential is not passed on.
            _mcp = Tool.StartWith(
                [("LEASES_TOKEN", _keys["bob"])],
                "mcp", "--http", "http://127.0.0.1:0", "--server", _server.Address, "--idle", "10s", "--ttl", "1h");
            await Eventually.TrueAsync(() => _mcp.Out.Contains('\n', StringComparison.Ordinal), () => _mcp.Error);
            Endpoint = new($"{_mcp.Out[Listening.Length.._mcp.Out.IndexOf('\n', StringComparison.Ordinal)]}/mcp");
        }

        public async Task DisposeAsync()
        {
            Http.Dispose();
            await _mcp.DisposeAsync();
            await _server.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }
    }
}
