using System.Net;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>What a silo refuses to start with, or to go on with.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task Start_WithoutTheSchema_IsRefusedWithTheRemedy()
    {
        await using var cluster = await LeaseCluster.StartAsync(silos: 1);
        var silo = cluster.Silos[0];
        await silo.KillAsync();

        await RunAsync("drop index lease_record_due");
        await AssertRefusedAsync("index lease_record_due");
        await RunAsync("drop schema public cascade; create schema public");
        await AssertRefusedAsync("has no lease schema");

        async Task RunAsync(string sql)
        {
            await using var command = cluster.Database.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }

        async Task AssertRefusedAsync(string reason)
        {
            await using var start = silo.Begin();
            Assert.Equal(1, await start.ExitCodeAsync());
            Assert.Contains(reason, start.Error, StringComparison.Ordinal);
            Assert.Contains("Run 'leases-silo migrate'", start.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", start.Error, StringComparison.Ordinal);
        }
    }

    // Kestrel takes it for a name, and a name for every address of the machine.
    [Theory]
    [InlineData("LEASES_Urls", "http://localhost:80x", "Urls has 'http://localhost:80x'; it takes")]
    [InlineData("LEASES_Urls", "", "Urls has ''; it takes")]
    [InlineData("LEASES_Urls", "http://0.0.0.0:0", "Insecure")]
    [InlineData("LEASES_Access", "there-is-no-such.json", "there-is-no-such.json")]
    [InlineData("LEASES_Audit__File", "no/such/audit.jsonl", "The audit file 'no/such/audit.jsonl' cannot be written")]
    [InlineData("LEASES_Https__Certificate", "tls.crt", "Https:Certificate and Https:Key go together")]
    [InlineData("LEASES_Cluster__Tls__Key", "tls.key", "Cluster:Tls:Certificate and Cluster:Tls:Authority are missing")]
    [InlineData("LEASES_AllowedHosts", "leases.example:7400", "AllowedHosts has 'leases.example:7400'; it takes")]
    public async Task Start_WithAWrongAddress_IsRefusedWithTheRemedy(string variable, string value, string reason)
    {
        var environment = new Dictionary<string, string>
        {
            ["LEASES_Urls"] = $"http://127.0.0.1:{Ports.Free()}",
            ["LEASES_Cluster__SiloPort"] = $"{Ports.Free()}",
            ["LEASES_Cluster__GatewayPort"] = $"{Ports.Free()}",
            [variable] = value,
        };
        await using var start = ListeningProcess.Start("leases-silo", [], environment);
        Assert.Equal(1, await start.ExitCodeAsync());
        Assert.Contains(reason, start.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", start.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("foo")]
    [InlineData("epoch", "shrink")]
    [InlineData("--folder", "x")]
    [InlineData("--config")]
    public async Task Start_WithAWrongCommandLine_NamesItAndIs2(params string[] arguments)
    {
        await using var start = ListeningProcess.Start("leases-silo", arguments, new Dictionary<string, string>());

        Assert.Equal(2, await start.ExitCodeAsync());
        Assert.Contains(arguments[^1] is "x" ? "--folder" : arguments[^1], start.Error, StringComparison.Ordinal);
        Assert.Contains("migrate, health, epoch", start.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("Database=leases;Username=leases")]
    public async Task Start_WithADatabaseWithoutAHost_NamesTheRemedy(string connection)
    {
        foreach (var verb in new[] { Array.Empty<string>(), ["migrate"], ["epoch", "show"] })
        {
            await using var start = ListeningProcess.Start(
                "leases-silo", verb, new Dictionary<string, string> { ["LEASES_Postgres__ConnectionString"] = connection });

            Assert.Equal(1, await start.ExitCodeAsync());
            Assert.Contains("names no Host; it takes one such as 'Host=", start.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("Parameter", start.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task EpochBump_UnderARunningSilo_TakesItsWritesAway()
    {
        await using var cluster = await LeaseCluster.StartAsync(silos: 1);
        var silo = cluster.Silos[0];
        var epoch = (await silo.Leases.InfoAsync()).Value.Epoch;
        var before = (await silo.Leases.AcquireAsync(Ask("used"))).Value;
        await silo.Leases.ReleaseAsync(new ReleaseRequest { Resource = before.Resource, Owner = before.Owner, Token = before.Token });

        await using (var bump = silo.Begin("epoch", "bump"))
            Assert.Equal(0, await bump.ExitCodeAsync());

        // One that it knows, and one that nobody has used.
        Assert.IsType<Refusal.Unavailable>((await silo.Leases.AcquireAsync(Ask("used"))).Refusal);
        Assert.IsType<Refusal.Unavailable>((await silo.Leases.AcquireAsync(Ask("unused"))).Refusal);
        var told = "";
        await Eventually.TrueAsync(
            async () =>
            {
                (var status, told) = await silo.ReadyAsync();
                return status == HttpStatusCode.ServiceUnavailable;
            },
            () => $"The silo is ready: {told}");
        Assert.Contains($"restore epoch is {epoch + 1}, this silo started under {epoch}; restart the silo", told, StringComparison.Ordinal);

        silo.AskToEnd();
        Assert.Equal(0, await silo.Process.ExitCodeAsync());
        await silo.StartAsync();
        Assert.Equal(epoch + 1, (await silo.Leases.InfoAsync()).Value.Epoch);
        Assert.True((await silo.Leases.AcquireAsync(Ask("used"))).Value.Token > before.Token + 1_000_000);
        Assert.True((await silo.Leases.AcquireAsync(Ask("unused"))).Value.Token > before.Token + 1_000_000);
    }

    [Fact]
    public async Task Start_OfTheSameSiloTwice_IsRefusedAndLeavesTheFirstAlone()
    {
        await using var cluster = await LeaseCluster.StartAsync(silos: 1);
        var silo = cluster.Silos[0];
        var before = await MembersAsync();

        await AssertRefusedAsync("Urls");
        await AssertRefusedAsync("SiloPort", ("Urls", "http://127.0.0.1:0"));
        await AssertRefusedAsync("GatewayPort", ("Urls", "http://127.0.0.1:0"), ("Cluster__SiloPort", Text(Ports.Free())));
        await AssertRefusedAsync("Urls", ("Cluster__SiloPort", Text(Ports.Free())), ("Cluster__GatewayPort", Text(Ports.Free())));

        Assert.Equal(before, await MembersAsync());
        Assert.Equal(HttpStatusCode.OK, (await silo.ReadyAsync()).Status);
        Assert.Null((await silo.Leases.AcquireAsync(Ask("a"))).Refusal);

        async Task AssertRefusedAsync(string names, params (string Setting, string? Value)[] others)
        {
            await using var start = silo.BeginBeside(others);
            Assert.Equal(1, await start.ExitCodeAsync());
            Assert.Contains(names, start.Error, StringComparison.Ordinal);
            Assert.Contains("It was not disturbed.", start.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", start.Error, StringComparison.Ordinal);
        }

        async Task<string?> MembersAsync()
        {
            await using var command = cluster.Database.CreateCommand(
                "select string_agg(concat(Port, '@', Generation, ':', Status), ' ') from OrleansMembershipTable");
            return (string?)await command.ExecuteScalarAsync();
        }

        static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    private static AcquireRequest Ask(string resource) => new() { Resource = resource, Owner = "ann", Ttl = TimeSpan.FromSeconds(10) };
}
