using System.Net.Http.Headers;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>A server that has run out of memory does not go on half dead: it ends, and the next one has all that was told.</summary>
public sealed class OutOfMemoryTests : IDisposable
{
    private static readonly string Note = new('n', 2000);

    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Serve_OutOfMemory_EndsAndSaysSo_AndNothingToldIsLost()
    {
        // As much as an idle server needs, and not much more; and nothing keeps it from taking all of that.
        await using var server = Tool.StartWith(
            [("DOTNET_GCHeapHardLimit", "0x1C00000")],
            "serve", "--data", _folder, "--urls", "http://127.0.0.1:0", "--bounds", "memory=100");
        await Eventually.TrueAsync(
            () => server.Out.Contains("stops it", StringComparison.Ordinal) || server.HasExited,
            () => $"It never listened: {server.Error}");
        var address = new Uri(server.Out["Listening on ".Length..server.Out.IndexOf('\n', StringComparison.Ordinal)]);
        using var http = new HttpClient { BaseAddress = address };
        var told = new List<string>();

        await Task.WhenAll(Enumerable.Range(0, 16).Select(async worker =>
        {
            for (var i = 0; !server.HasExited && i < 4000; i++)
            {
                var name = $"r/{worker}/{i}";
                var body = $$"""{ "resource": "{{name}}", "owner": "ann", "ttlMs": 3600000, "metadata": { "note": "{{Note}}" } }""";
                try
                {
                    var answer = await http.PostAsync(
                        new Uri("v1/leases/acquire", UriKind.Relative),
                        new StringContent(body, new MediaTypeHeaderValue("application/json")));
                    if (answer.IsSuccessStatusCode) lock (told) told.Add(name);
                }
                catch (HttpRequestException)
                {
                    // It is on its way down, or down.
                }
            }
        }));

        var result = await server.ResultAsync();
        Assert.NotEqual(0, result.Code);
        Assert.Contains("out of memory", result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(told);
        await using var next = await ServerProcess.StartAsync("--data", _folder);
        using var after = new HttpClient { BaseAddress = new Uri(next.Address) };
        foreach (var name in told)
            Assert.Contains(
                "\"state\":\"held\"", await after.GetStringAsync(new Uri($"v1/leases/{name}", UriKind.Relative)), StringComparison.Ordinal);
    }
}
