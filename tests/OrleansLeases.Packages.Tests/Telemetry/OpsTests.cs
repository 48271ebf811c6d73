using System.Text.Json;
using System.Text.RegularExpressions;
using OrleansLeases.Testing.Packages;
using OrleansLeases.Testing.Telemetry;

namespace OrleansLeases.Packages.Tests.Telemetry;

/// <summary>
/// The dashboard and the alerts name metrics that there are. What those are called by a server is seen by the tests of Cli.
/// </summary>
public sealed partial class OpsTests
{
    [Theory, InlineData("grafana.json"), InlineData("alerts.yaml")]
    public void Metrics_AndAttributes_OfTheFile_AreInTheTables(string file)
    {
        string[] attributes =
        [
            .. from meter in Prometheus.Meters
               from all in InstrumentTable.AttributesOf(meter).Values
               from attribute in all.Split(", ")
               select attribute.Replace('.', '_'),
        ];

        var named = Name().Matches(File.ReadAllText(Repository.PathOf("ops", file))).Select(name => name.Value).Distinct().ToList();

        Assert.True(named.Count(Prometheus.Series.Contains) >= 10, "The pattern no longer finds the names.");
        Assert.DoesNotContain(named, name => !Prometheus.Series.Contains(name) && !attributes.Contains(name));
    }

    [Fact]
    public void EveryInstrument_IsOnTheDashboard()
    {
        var dashboard = File.ReadAllText(Repository.PathOf("ops", "grafana.json"));
        using var json = JsonDocument.Parse(dashboard);
        string[] instruments = [.. Prometheus.Meters.SelectMany(meter => InstrumentTable.RowsOf(meter).Keys)];

        Assert.True(json.RootElement.GetProperty("panels").GetArrayLength() > 10);
        Assert.DoesNotContain(instruments, name => !dashboard.Contains(name.Replace('.', '_'), StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\b(?:leases|server)_\w+")]
    private static partial Regex Name();
}
