using Npgsql;
using OrleansLeases.Testing.Packages;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace OrleansLeases.Cluster.Tests;

/// <summary><c>docker-compose.yml</c> says what a silo knows, and gives silos no more of the database than they need.</summary>
public sealed class ComposeTests
{
    private static readonly Dictionary<string, Service> Services = Read();

    private static IEnumerable<Service> Silos => Services.Where(service => service.Key.StartsWith("silo", StringComparison.Ordinal))
        .Select(service => service.Value);

    [Fact]
    public void Variables_OfSilosAndTheMigration_AreSettingsOfTheSilo()
    {
        Assert.Equal(3, Silos.Count());
        Assert.All(
            Silos.Append(Services["migrate"]).SelectMany(service => service.Environment).Where(variable => variable.Key != "PGPASSWORD"),
            variable => SiloVariables.Check(variable.Key, variable.Value));
    }

    [Fact]
    public void Silos_RunAsTheRoleThatTheMigrationGrants_WithAPasswordOfItsOwn()
    {
        var (migrate, role) = (Services["migrate"], Services["role"]);
        var owner = Services["postgres"].Environment;

        Assert.Equal(owner["POSTGRES_USER"], UserOf(migrate));
        Assert.Equal(["migrate", "--grant", "leases_silo"], migrate.Command);
        Assert.Contains("alter role leases_silo password", role.Command[^1], StringComparison.Ordinal);
        Assert.All(Silos, silo =>
        {
            Assert.Equal("leases_silo", UserOf(silo));
            Assert.Equal(role.Environment["LEASES_SILO_PASSWORD"], silo.Environment["PGPASSWORD"]);
            Assert.DoesNotContain(owner["POSTGRES_PASSWORD"], silo.Environment.Values);
            Assert.Equal(["role"], silo.DependsOn.Keys);
        });
        Assert.Equal(["migrate"], role.DependsOn.Keys);
        Assert.Equal(["postgres"], migrate.DependsOn.Keys);
    }

    private static string? UserOf(Service service) =>
        new NpgsqlConnectionStringBuilder(service.Environment["LEASES_Postgres__ConnectionString"]).Username;

    private static Dictionary<string, Service> Read()
    {
        using var file = File.OpenText(Repository.PathOf("docker-compose.yml"));
        var yaml = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build();
        return yaml.Deserialize<Compose>(new MergingParser(new Parser(file))).Services;
    }

    // Filled by the deserializer.
    private sealed class Compose
    {
        // Others refer to them: what is left out here has no anchors.
        [YamlMember(Alias = "x-passwords", ApplyNamingConventions = false)]
        public Dictionary<string, string> Passwords { get; set; } = [];

        public Dictionary<string, Service> Services { get; set; } = [];
    }

    private sealed class Service
    {
        public Dictionary<string, string> Environment { get; set; } = [];

        public List<string> Command { get; set; } = [];

        public Dictionary<string, Dictionary<string, string>> DependsOn { get; set; } = [];
    }
}
