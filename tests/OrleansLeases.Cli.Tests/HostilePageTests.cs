using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;
using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

/// <summary>Alone, since a browser takes the processor from tests that a shell and signals are timed by.</summary>
[CollectionDefinition(nameof(HostilePageTests), DisableParallelization = true)]
[SuppressMessage("Naming", "CA1711", Justification = "So xunit calls it.")]
public sealed class HostilePageCollection;

/// <summary>What a page that a developer happens to open can do to the server on the developer's machine: nothing.</summary>
[Collection(nameof(HostilePageTests))]
public sealed class HostilePageTests : IAsyncLifetime
{
    private const string Rebound = "rebound.example";
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private readonly HttpListener _pages = new();
    private readonly string _page = $"http://127.0.0.1:{Ports.Free()}/";
    private ServerProcess? _server;

    private string Server => _server!.Address;

    public async Task InitializeAsync()
    {
        _server = await ServerProcess.StartAsync("--memory");
        _pages.Prefixes.Add(_page);
        _pages.Start();
    }

    public async Task DisposeAsync()
    {
        _pages.Close();
        await _server!.DisposeAsync();
    }

    [ChromiumFact]
    public async Task Page_OfAnotherOrigin_NeitherChangesNorReadsAnything()
    {
        Assert.Equal(0, (await Tool.RunAsync(Server, "acquire", "r", "--owner", "ann", "--ttl", "1h")).Code);
        await using var browser = Chromium.Open(_page, $"--host-resolver-rules=MAP {Rebound} 127.0.0.1");

        var report = await ReportAsync().WaitAsync(WaitTimeout);

        // Each of them was tried: the page's code ran to its end.
        Assert.Equal(
            ["beacon", "bytes", "form", "json", "read", "readRebound", "rebound", "text"], report.Keys.Order(StringComparer.Ordinal));
        Assert.All(report.Values, seen => Assert.DoesNotContain("ann", seen, StringComparison.Ordinal));
        Assert.StartsWith("failed", report["json"], StringComparison.Ordinal);
        Assert.StartsWith("failed", report["read"], StringComparison.Ordinal);
        Assert.Contains("\"owner\":\"ann\"", (await Tool.RunAsync(Server, "get", "r", "--json")).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("taken", (await Tool.RunAsync(Server, "list", "--json")).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("taken", (await Tool.RunAsync(Server, "key", "list", "--json")).Out, StringComparison.Ordinal);
    }

    // A name of the attacker's that leads to this machine once its page is loaded: for the browser, all of it is one origin.
    [ChromiumFact]
    public async Task Page_UnderAReboundName_ReadsNothing()
    {
        Assert.Equal(0, (await Tool.RunAsync(Server, "acquire", "r", "--owner", "ann", "--ttl", "1h")).Code);
        var resolve = $"--host-resolver-rules=MAP {Rebound} 127.0.0.1";
        var port = new Uri(Server).Port;

        var own = await Chromium.ReadAsync($"http://localhost:{port}/v1/leases/r", resolve).WaitAsync(WaitTimeout);
        var rebound = await Chromium.ReadAsync($"http://{Rebound}:{port}/v1/leases/r", resolve).WaitAsync(WaitTimeout);

        Assert.Contains("ann", own, StringComparison.Ordinal);
        Assert.DoesNotContain("ann", rebound, StringComparison.Ordinal);
        Assert.Contains("forbidden", rebound, StringComparison.Ordinal);
    }

    private async Task<Dictionary<string, string>> ReportAsync()
    {
        while (true)
        {
            var context = await _pages.GetContextAsync();
            if (context.Request.HttpMethod == "POST")
            {
                var report = await JsonSerializer.DeserializeAsync<Dictionary<string, string>>(context.Request.InputStream);
                context.Response.Close();
                return report!;
            }

            context.Response.ContentType = "text/html";
            context.Response.Close(Encoding.UTF8.GetBytes(context.Request.RawUrl == "/" ? Html() : ""), willBlock: false);
        }
    }

    private string Html() => $$"""
        <!doctype html>
        <iframe name="hidden"></iframe>
        <form method="post" enctype="text/plain" target="hidden" action="{{Server}}/v1/leases/acquire">
          <input name='{"resource":"taken/form","owner":"page","ttlMs":30000,"x":"' value='"}'>
        </form>
        <script>
          const server = '{{Server}}', rebound = server.replace('127.0.0.1', '{{Rebound}}');
          const take = name => `{"resource":"taken/${name}","owner":"page","ttlMs":3600000}`;
          const end = '{"resource":"r","graceMs":0,"force":true,"reason":"page"}';
          const bytes = text => new TextEncoder().encode(text);
          const post = (path, body, options) => fetch(path, { method: 'POST', body, ...options });
          const tries = {
            bytes: async () => {
              await post(server + '/v1/leases/break', bytes(end), { mode: 'no-cors' });
              return (await post(server + '/v1/leases/acquire', bytes(take('bytes')), { mode: 'no-cors' })).type;
            },
            text: async () => (await post(server + '/v1/leases/acquire', take('text'), { mode: 'no-cors' })).type,
            beacon: async () => `${navigator.sendBeacon(server + '/v1/counters/taken', bytes('{"delta":1}'))}`,
            form: () => new Promise(done => {
              const frame = document.querySelector('iframe');
              frame.onload = () => done('sent');
              document.querySelector('form').submit();
            }),
            json: async () => {
              const headers = { 'Content-Type': 'application/json' };
              return (await post(server + '/v1/leases/acquire', take('json'), { headers })).text();
            },
            read: async () => (await fetch(server + '/v1/leases/r')).text(),
            rebound: async () => (await post(rebound + '/v1/leases/acquire', bytes(take('rebound')), { mode: 'no-cors' })).type,
            readRebound: async () => (await fetch(rebound + '/v1/leases/r')).text(),
          };
          (async () => {
            const report = {};
            for (const [name, attempt] of Object.entries(tries)) {
              try { report[name] = await attempt(); } catch (error) { report[name] = `failed: ${error}`; }
            }
            await post('/report', JSON.stringify(report));
          })();
        </script>
        """;
}
