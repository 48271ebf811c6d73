using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>What a server sends to a collector, and by whose word.</summary>
public sealed class ExportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Otlp_TakesMetricsAndTraces_OfCallersThatAreKnown()
    {
        var access = Path.Combine(_folder, "access.json");
        var key = await MakeKeyAsync(access);
        await using var sink = await OtlpSink.StartAsync();
        await using var server = await ServerProcess.StartWithAsync(
            [
                ("OTEL_EXPORTER_OTLP_ENDPOINT", sink.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "100"), ("OTEL_BSP_SCHEDULE_DELAY", "50"), ("OTEL_SERVICE_NAME", "my-leases"),
            ],
            "--memory", "--access", access, "--log-level", "Information");
        using var http = new HttpClient { BaseAddress = new(server.Address) };

        var (stranger, prober, holder) = (NewTrace(), NewTrace(), NewTrace());
        Assert.Equal(HttpStatusCode.Unauthorized, await AcquireAsync(http, stranger, key: null));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(http, new(HttpMethod.Get, "health/ready"), prober));
        Assert.Equal(HttpStatusCode.OK, await AcquireAsync(http, holder, key));

        // Spans are sent in the order of their ends: those of the others would be there by now.
        await Eventually.TrueAsync(
            () => sink.HasTrace(holder) && sink.Has("traces", "leases.acquire") && sink.Has("metrics", "leases.operation.duration"),
            () => server.Tool.Error);
        Assert.True(sink.Has("traces", "leases.keeper") && sink.Has("traces", "my-leases") && sink.Has("metrics", "my-leases"));
        Assert.False(sink.HasTrace(stranger) || sink.HasTrace(prober) || sink.Has("traces", "a-stranger=s-word"));
        // Nor has the log what anybody sends along.
        Assert.DoesNotMatch($"{stranger}|{prober}|{holder}|s-word", server.Tool.Error);
        Assert.Contains("OpenTelemetry", await server.Tool.LoadedAsync(), StringComparison.Ordinal);
    }

    // An administrator that holds as itself, too.
    private static async Task<string> MakeKeyAsync(string access)
    {
        var made = (await Tool.RunAsync(null, "token", "create", "first", "--principal", "root", "--for-file")).Out.Split('\n');
        await File.WriteAllTextAsync(access, $$"""
            { "keys": [ {{made[1]}} ], "rules": [ { "principal": "root", "prefix": "", "verbs": ["hold", "read"] } ] }
            """);
        return made[0];
    }

    private static string NewTrace() => ActivityTraceId.CreateRandom().ToHexString();

    private static Task<HttpStatusCode> AcquireAsync(HttpClient http, string trace, string? key)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "v1/leases/acquire")
        {
            Content = new StringContent("""{"resource":"r","owner":"root","ttlMs":30000}""", new MediaTypeHeaderValue("application/json")),
        };
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        return SendAsync(http, request, trace);
    }

    // As somebody who wants it recorded.
    private static async Task<HttpStatusCode> SendAsync(HttpClient http, HttpRequestMessage request, string trace)
    {
        request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom().ToHexString()}-01");
        if (request.Headers.Authorization is null) request.Headers.Add("tracestate", "a-stranger=s-word");
        using (request)
        using (var response = await http.SendAsync(request))
            return response.StatusCode;
    }
}
