using System.Text;
using System.Text.Json;
using ModelContextProtocol.Client;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>A lease server that wants credentials, and an MCP server before it that has none.</summary>
public sealed class McpHttpWorld : IAsyncLifetime
{
    internal const string Initialize =
        """
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},
        "clientInfo":{"name":"raw","version":"1"}}}
        """;

    internal const string List = """{"jsonrpc":"2.0","id":2,"method":"tools/list"}""";

    private const string SessionHeader = "Mcp-Session-Id";

    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;
    private readonly Dictionary<string, string> _keys = [];
    private int _calls = 100;
    private ServerProcess _server = null!;
    private Tool _mcp = null!;

    public HttpClient Http { get; } = new();

    public Uri Endpoint { get; private set; } = null!;

    internal string Server => _server.Address;

    public string KeyOf(string name) => _keys[name];

    public async Task InitializeAsync()
    {
        var entries = new List<string>();
        string[] own = ["ann", "bob", "crowd", "dan", "admin"];
        foreach (var (name, principal) in own.Select(name => (name, name)).Append(("ann-renewed", "ann")))
        {
            var made = await InProcess.RunAsync(null, "token", "create", name, "--principal", principal, "--for-file");
            var lines = made.Out.Split('\n');
            _keys[name] = lines[0];
            entries.Add(lines[1]);
        }

        var access = Path.Combine(_folder, "access.json");
        await File.WriteAllTextAsync(access, $$"""
            { "keys": [ {{string.Join(',', entries)}} ],
              "rules": [
                { "principal": "*", "prefix": "repo", "verbs": ["read", "hold"] },
                { "principal": "admin", "prefix": "", "verbs": ["admin"] }
              ],
              "quotas": [ { "principal": "dan", "prefix": "", "watches": 1 } ] }
            """);
        _server = await ServerProcess.StartAsync("--memory", "--access", access);
        // Its own credential is not passed on.
        (_mcp, Endpoint) = await StartAsync(_keys["bob"], _server.Address);
    }

    public async Task DisposeAsync()
    {
        Http.Dispose();
        await _mcp.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Starts another MCP server.</summary>
    internal static async Task<(Tool Tool, Uri Endpoint)> StartAsync(string key, string server, params string[] arguments)
    {
        const string Listening = "Listening on ";
        string[] urls = arguments.Contains("--http") ? [] : ["--http", "http://127.0.0.1:0"];
        var mcp = Tool.StartWith(
            [("LEASES_TOKEN", key)], ["mcp", "--server", server, "--idle", "10s", "--ttl", "1h", .. urls, .. arguments]);
        await Eventually.TrueAsync(() => mcp.Out.Contains('\n', StringComparison.Ordinal), () => mcp.Error);
        var address = mcp.Out[Listening.Length..mcp.Out.IndexOf('\n', StringComparison.Ordinal)];
        return (mcp, new($"{address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)}/mcp"));
    }

    internal static async Task<Answer> CallAsync(McpClient agent, string tool, string resource) =>
        Answer.Of(await agent.CallToolAsync(tool, new Dictionary<string, object?> { ["resource"] = resource }));

    internal Task<McpClient> ConnectAsync(string key) => McpClient.CreateAsync(new HttpClientTransport(new()
    {
        Endpoint = Endpoint, AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = $"Bearer {key}" },
    }));

    /// <summary>Begins a session.</summary>
    internal async Task<string> BeginAsync(string key, Uri? endpoint = null)
    {
        using var begun = await PostAsync(Initialize, key, endpoint: endpoint);
        Assert.True(begun.IsSuccessStatusCode, await begun.Content.ReadAsStringAsync());
        return begun.Headers.GetValues(SessionHeader).Single();
    }

    internal Task<HttpResponseMessage> PostAsync(
        string body, string? key, string? session = null, (string Name, string Value)? header = null, Uri? endpoint = null) =>
        SendAsync(HttpMethod.Post, key, session, body, header, endpoint);

    /// <summary>Sends a call, and returns with the header of its answer.</summary>
    internal async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string? key, string? session, string? body = null, (string Name, string Value)? header = null,
        Uri? endpoint = null)
    {
        using var request = new HttpRequestMessage(method, endpoint ?? Endpoint);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        if (session is not null) request.Headers.Add(SessionHeader, session);
        if (header is { } extra) request.Headers.TryAddWithoutValidation(extra.Name, extra.Value);
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Calls a tool, and returns once the call is under way.</summary>
    internal Task<HttpResponseMessage> CallAsync(string key, string session, string tool, string arguments, Uri? endpoint = null)
    {
        var id = Interlocked.Increment(ref _calls);
        var call = $$"""{"name":"{{tool}}","arguments":{{arguments}},"_meta":{"progressToken":{{id}} } }""";
        return PostAsync(
            $$"""{"jsonrpc":"2.0","id":{{id}},"method":"tools/call","params":{{call}} }""", key, session, endpoint: endpoint);
    }

    /// <summary>Calls a tool, and says what came of it.</summary>
    internal async Task<string> OutcomeAsync(string key, string session, string tool, string arguments, Uri? endpoint = null)
    {
        using var called = await CallAsync(key, session, tool, arguments, endpoint);
        var text = await called.Content.ReadAsStringAsync();
        Assert.True(called.IsSuccessStatusCode, text);
        var message = text.Split('\n').Last(line => line.StartsWith("data: ", StringComparison.Ordinal))["data: ".Length..];
        return JsonDocument.Parse(message).RootElement.GetProperty("result").GetProperty("structuredContent").GetProperty("outcome")
            .GetString()!;
    }

    /// <summary>Makes a key that can be revoked.</summary>
    internal async Task<string> MakeKeyAsync(string principal) =>
        (await RunAsync("token", "create", principal, "--principal", principal)).Out.Trim();

    internal Task RevokeAsync(string key) => RunAsync("token", "revoke", key.Split('_')[1]);

    /// <summary>Runs the tool as the admin.</summary>
    internal async Task<ToolResult> RunAsync(params string[] arguments)
    {
        var result = await Tool.RunAsync(Server, [("LEASES_TOKEN", KeyOf("admin"))], arguments);
        Assert.True(result.Code == 0, result.Error);
        return result;
    }
}
