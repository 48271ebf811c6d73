using Npgsql;
using OrleansLeases.Grains;
using OrleansLeases.Testing;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>The database of all tests of this assembly, with the schema. Tests keep apart by their service ids.</summary>
internal static class TestDatabase
{
    /// <summary>The role that silos run as.</summary>
    public const string SiloRole = "leases_silo";

    private static readonly Lazy<Task<string>> Shared = new(async () =>
    {
        var connection = await PostgresServer.SharedAsync();
        await LeaseSchema.MigrateAsync(connection);
        if (!PostgresServer.IsSharedGiven) await LeaseSchema.GrantAsync(connection, SiloRole);
        return connection;
    });

    /// <summary>As its owner.</summary>
    public static Task<string> ConnectionStringAsync() => Shared.Value;

    /// <summary>As silos use it: by a role that owns nothing, unless the database was given to the tests.</summary>
    public static async Task<string> SiloConnectionStringAsync()
    {
        var connection = await Shared.Value;
        return PostgresServer.IsSharedGiven ? connection : AsSilo(connection);
    }

    /// <summary>The same database by the role of silos.</summary>
    public static string AsSilo(string connection) =>
        new NpgsqlConnectionStringBuilder(connection) { Username = SiloRole, Password = SiloRole }.ConnectionString;
}
