using Npgsql;
using OrleansLeases.Testing;

namespace OrleansLeases.Cluster.Tests.Processes;

/// <summary>
/// Two silos with all that protects them: they talk to each other, and to Orleans clients, by mutual TLS, and to their database by TLS,
/// as a role that owns nothing and has a password. The tests leave them as they found them.
/// </summary>
public sealed class SecureCluster : IAsyncLifetime
{
    private const string SiloRole = "leases_silo";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orleans-leases-secure-");
    private readonly TestAuthority _databaseAuthority = new("Database");

    /// <summary>Who signs for it.</summary>
    public TestAuthority Authority { get; } = new("Cluster");

    /// <summary>Who signs for somebody else.</summary>
    public TestAuthority OtherAuthority { get; } = new("Others");

    internal LeaseCluster Cluster { get; private set; } = null!;

    /// <summary>The database as silos connect to it. The server's certificate is for 127.0.0.1.</summary>
    public NpgsqlConnectionStringBuilder Database { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var (certificate, key) = _databaseAuthority.Sign("127.0.0.1");
        var postgres = await PostgresServer.StartAsync(
            new Dictionary<string, string>
            {
                ["server.crt"] = certificate,
                ["server.key"] = key,
                ["pg_hba.conf"] = """
                    local   all all                   trust
                    host    all postgres 127.0.0.1/32 trust
                    hostssl all all      127.0.0.1/32 scram-sha-256

                    """,
            },
            "fsync=off", "ssl=on");
        await using (var server = NpgsqlDataSource.Create(postgres.ConnectionString))
        {
            await server.CreateCommand("create role leases_owner login createrole password 'owner'").ExecuteNonQueryAsync();
            await server.CreateCommand("create database leases owner leases_owner").ExecuteNonQueryAsync();
            // The owner makes it, but where it is made by somebody else it has a password from the start.
            await server.CreateCommand($"create role {SiloRole} login password 'first'").ExecuteNonQueryAsync();
        }

        var owner = new NpgsqlConnectionStringBuilder(postgres.ConnectionString)
        {
            Database = "leases",
            Username = "leases_owner",
            Password = "owner",
            SslMode = SslMode.VerifyFull,
            RootCertificate = await WriteAsync("database-ca.crt", _databaseAuthority.Pem),
        };
        Database = new(owner.ConnectionString) { Username = SiloRole, Password = null, Passfile = await WritePasswordAsync("first") };
        var tls = Write("silo", Authority.Sign("first"), Authority.Pem);
        Cluster = await LeaseCluster.OnAsync(
            postgres, owner.ConnectionString, silos: 2, probe: null, ["migrate", "--grant", SiloRole],
            [.. tls.Settings.Select(setting => (setting.Name, setting.Value!)), ("Postgres__ConnectionString", Database.ConnectionString)]);
    }

    public async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        _databaseAuthority.Dispose();
        Authority.Dispose();
        OtherAuthority.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Writes the files of a process.</summary>
    internal TlsFiles Write(string process, (string Certificate, string Key) signed, string authority)
    {
        var files = new TlsFiles(
            Path.Combine(_folder.FullName, $"{process}.crt"), Path.Combine(_folder.FullName, $"{process}.key"),
            Path.Combine(_folder.FullName, $"{process}.ca.crt"));
        File.WriteAllText(files.Certificate, signed.Certificate);
        File.WriteAllText(files.Key, signed.Key);
        File.WriteAllText(files.Authority, authority);
        return files;
    }

    /// <summary>Writes a file.</summary>
    /// <returns>Where it is.</returns>
    internal async Task<string> WriteAsync(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        await File.WriteAllTextAsync(path, text);
        return path;
    }

    /// <summary>Writes the file with the password of the silos.</summary>
    internal Task<string> WritePasswordAsync(string password) => WriteAsync("pgpass", $"*:*:*:{SiloRole}:{password}\n");

    /// <summary>What a process shows and whom it believes.</summary>
    internal sealed record TlsFiles(string Certificate, string Key, string Authority)
    {
        public (string Name, string? Value)[] Settings =>
        [
            ("Cluster__Tls__Certificate", Certificate), ("Cluster__Tls__Key", Key), ("Cluster__Tls__Authority", Authority),
        ];
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(Name)]
public sealed class OnSecureCluster : ICollectionFixture<SecureCluster>
{
    public const string Name = "The secure cluster";
}
