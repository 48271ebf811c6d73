using System.Text.RegularExpressions;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Cluster.Tests;

/// <summary>What a silo tells whoever scrapes it.</summary>
[Collection(SharedCluster.Name)]
public sealed partial class MetricsTests(SharedCluster shared)
{
    [Fact]
    public async Task Metrics_OfASilo_AreCalledAsTheTablesSay_AndOrleansOwnAreAmongThem()
    {
        var silo = (await shared.UnsuspectingAsync()).Silos[0];
        using var http = new HttpClient { BaseAddress = silo.Address };
        // What happens is counted from the first scrape on.
        await http.GetStringAsync(new Uri("metrics", UriKind.Relative));
        var request = new AcquireRequest { Resource = "metrics/silo", Owner = "ann", Ttl = TimeSpan.FromSeconds(1) };
        Assert.Null((await silo.Patiently.AcquireAsync(request)).Refusal);
        var scraped = "";
        await Eventually.TrueAsync(
            async () => (scraped = await http.GetStringAsync(new Uri("metrics", UriKind.Relative))).Contains(
                "leases_operation_duration_seconds_count{", StringComparison.Ordinal),
            () => scraped);

        var names = Sample().Matches(scraped).Select(sample => sample.Groups[1].Value).Distinct().ToList();
        Assert.Contains("leases_held", names);
        Assert.DoesNotContain(names, name => !Prometheus.Series.Contains(name));
        Assert.Contains("\norleans_", scraped, StringComparison.Ordinal);
        Assert.Contains("service_name=\"leases-silo\"", scraped, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^(leases_\w+)[{ ]", RegexOptions.Multiline)]
    private static partial Regex Sample();
}
