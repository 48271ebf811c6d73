using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// What credentials and rights cost: the same calls to a server that asks nobody, and to one with an API key and a hundred rules. Then what
// a principal far beyond its quota costs the others.
internal static class Access
{
    private const int Rules = 100;
    private const double Target = 0.97;
    private const string ApiKey = "olk_0000000000000001_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    private const string GreedyKey = "olk_0000000000000002_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    private const int GreedyQuota = 200;

    public static void Run(Bench bench)
    {
        var clients = bench.Options.Clients;
        var file = Path.Combine(bench.Workspace.NewFolder("access"), "access.json");
        File.WriteAllText(file, AccessFile());
        var open = bench.StartLeases();
        var asked = bench.StartLeasesWithAccess(file);
        var hour = TimeSpan.FromHours(1);
        Compare(
            bench, "renewals/s",
            new LeaseRenewals(open, bench.LeaseClients(open, clients, "hot/", "owner", hour), "renewals, nobody is asked"),
            new LeaseRenewals(asked, bench.LeaseClients(asked, clients, "hot/", "owner", hour, ApiKey), "renewals, API key and rights"));
        Compare(
            bench, "cycles/s",
            new LeaseCycles(open, bench.LeaseClients(open, clients, "own/", "owner"), Names.Own(clients), "cycles, nobody is asked"),
            new LeaseCycles(
                asked, bench.LeaseClients(asked, clients, "own/", "owner", apiKey: ApiKey), Names.Own(clients),
                "cycles, API key and rights"));
        new Neighbours(bench, asked, ApiKey, GreedyKey, GreedyQuota).Run();
    }

    private static void Compare(Bench bench, string unit, Load open, Load asked)
    {
        var rounds = Rounds.Run(bench.Loop, bench.Options, open, asked);
        rounds.AddRows(bench.Report, "access", unit);
        bench.Report.Add(new Verdict("access", $"{asked.Row} against {open.Row}", rounds.Ratio(asked, open), "×", Target));
    }

    private static string AccessFile()
    {
        static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        var others = Enumerable.Range(0, Rules - 1).Select(i => string.Create(
            CultureInfo.InvariantCulture,
            $$"""{ "principal": "bench", "prefix": "team-{{i}}/jobs", "verbs": ["read", "hold", "keys"] }"""));
        return $$"""
            { "keys": [ { "id": "0000000000000001", "name": "bench", "principal": "bench", "sha256": "{{HashOf(ApiKey)}}" },
                        { "id": "0000000000000002", "name": "greedy", "principal": "greedy", "sha256": "{{HashOf(GreedyKey)}}" } ],
              "rules": [ { "principal": "bench", "prefix": "", "verbs": ["hold"], "owners": ["*"] },
                         { "principal": "greedy", "prefix": "", "verbs": ["hold"], "owners": ["*"] }, {{string.Join(", ", others)}} ],
              "quotas": [ { "principal": "greedy", "prefix": "", "callsPerSecond": {{GreedyQuota}} } ] }
            """;
    }
}
