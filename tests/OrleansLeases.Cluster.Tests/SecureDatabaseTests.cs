using System.Net;
using Npgsql;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Grains;

namespace OrleansLeases.Cluster.Tests;

/// <summary>A database that takes TLS and passwords only, and silos on it whose role owns nothing.</summary>
[Collection(OnSecureCluster.Name)]
public sealed class SecureDatabaseTests(SecureCluster secure)
{
    [Fact]
    public async Task Certificate_OfAnotherAuthorityOrName_IsRefusedAtTheStart_WithTheRemedy()
    {
        var other = await secure.WriteAsync("other-ca.crt", secure.OtherAuthority.Pem);

        Assert.Null(await ProblemAsync(_ => { }));
        // It is the name alone that is wrong.
        Assert.Null(await ProblemAsync(database => (database.Host, database.SslMode) = ("localhost", SslMode.VerifyCA)));
        await AssertRefusedAsync(database => database.Host = "localhost", "certificate of the database's server 'localhost'", "Host must");
        await AssertRefusedAsync(database => database.RootCertificate = other, "server '127.0.0.1' is not believed", $"is '{other}'");
        await AssertRefusedAsync(database => database.RootCertificate = null, "Root Certificate is not set", "the machine's authorities");
        await AssertRefusedAsync(
            database => database.RootCertificate = "none.crt", "Root Certificate 'none.crt'", "there is no such file");
        // The server takes nothing else, and says so.
        await AssertRefusedAsync(database => database.SslMode = SslMode.Disable, "no pg_hba.conf entry", "no encryption");

        await using var start = secure.Cluster.Silos[0].BeginBeside(
            ("Postgres__ConnectionString", Change(database => database.RootCertificate = other)), ("Urls", "http://127.0.0.1:0"));
        Assert.Equal(1, await start.ExitCodeAsync());
        Assert.StartsWith("leases-silo: The certificate of the database's server", start.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", start.Error, StringComparison.Ordinal);

        async Task AssertRefusedAsync(Action<NpgsqlConnectionStringBuilder> change, params string[] reasons)
        {
            var said = (await ProblemAsync(change))?.Message;
            foreach (var reason in reasons) Assert.Contains(reason, said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Silos_TalkToTheDatabaseByTls_AsTheRole()
    {
        await using var server = NpgsqlDataSource.Create(secure.Cluster.Postgres.ConnectionString);
        await using var command = server.CreateCommand(
            """
            select count(*) filter (where ssl.ssl and usename = 'leases_silo'), count(*)
            from pg_stat_activity join pg_stat_ssl ssl using (pid) where application_name = 'orleans-leases'
            """);
        await using var found = await command.ExecuteReaderAsync();
        await found.ReadAsync();
        Assert.True(found.GetInt64(0) > 0);
        Assert.Equal(found.GetInt64(1), found.GetInt64(0));
    }

    [Fact]
    public async Task EpochBump_AsTheRoleOfSilos_IsRefused()
    {
        await using var bump = secure.Cluster.Silos[0].Begin("epoch", "bump");

        Assert.Equal(1, await bump.ExitCodeAsync());
        Assert.Contains("permission denied for table lease_meta", bump.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_ThatIsChanged_TakesNoRestart()
    {
        await using var server = NpgsqlDataSource.Create(secure.Cluster.Postgres.ConnectionString);
        await ExecuteAsync("alter role leases_silo password 'second'");
        var refused = Assert.IsType<PostgresException>(await ProblemAsync(_ => { }));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
        await secure.WritePasswordAsync("second");

        // None of the connections that the old one opened is left.
        await ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'leases_silo'");

        foreach (var silo in secure.Cluster.Silos)
        {
            var number = 0;
            await Eventually.TrueAsync(
                async () => (await silo.Leases.AcquireAsync(
                    new() { Resource = $"password/{number++}", Owner = "ann", Ttl = LeaseCluster.LongestTtl })).Refusal is null,
                () => $"It grants nothing any more. {silo.Log}");
            await Eventually.TrueAsync(
                async () => (await silo.ReadyAsync()).Status == HttpStatusCode.OK, () => $"It is not ready any more. {silo.Log}");
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = server.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }

    // What a silo asks first.
    private Task<Exception?> ProblemAsync(Action<NpgsqlConnectionStringBuilder> change) =>
        Record.ExceptionAsync(() => LeaseSchema.EpochAsync(Change(change)))!;

    private string Change(Action<NpgsqlConnectionStringBuilder> change)
    {
        var database = new NpgsqlConnectionStringBuilder(secure.Database.ConnectionString) { Pooling = false };
        change(database);
        return database.ConnectionString;
    }
}
