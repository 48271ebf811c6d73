using System.Text.RegularExpressions;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Cli.Tests;

/// <summary>What a server tells whoever scrapes it.</summary>
public sealed partial class MetricsTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    [Fact]
    public async Task Metrics_OfAServer_AreCalledAsTheTablesSay()
    {
        using var http = new HttpClient { BaseAddress = new(server.Address) };
        // Nobody has asked for anything of it yet.
        Assert.DoesNotContain("OpenTelemetry", await server.Tool.LoadedAsync(), StringComparison.Ordinal);
        // What happens is counted from the first scrape on.
        await http.GetStringAsync(new Uri("metrics", UriKind.Relative));
        Assert.Contains("OpenTelemetry", await server.Tool.LoadedAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann", "--ttl", "1h")).Code);
        var scraped = "";
        // It keeps a scrape for a moment.
        await Eventually.TrueAsync(
            () => (scraped = http.GetStringAsync(new Uri("metrics", UriKind.Relative)).GetAwaiter().GetResult()).Contains(
                "leases_operation_duration_seconds_count", StringComparison.Ordinal),
            () => scraped);

        var names = Sample().Matches(scraped).Select(sample => sample.Groups[1].Value).Distinct().ToList();
        Assert.Contains("leases_store_duration_seconds_bucket", names);
        Assert.DoesNotContain(names, name => !Prometheus.Series.Contains(name));
        Assert.Matches(@"leases_held\{[^}]*\} 1", scraped);
    }

    [GeneratedRegex(@"^(leases_\w+)[{ ]", RegexOptions.Multiline)]
    private static partial Regex Sample();
}
