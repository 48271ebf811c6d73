using OrleansLeases.Grains;
using OrleansLeases.Testing;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>The database of all tests of this assembly, with the schema. Tests keep apart by their service ids.</summary>
internal static class TestDatabase
{
    private static readonly Lazy<Task<string>> Shared = new(async () =>
    {
        var connection = await PostgresServer.SharedAsync();
        await LeaseSchema.MigrateAsync(connection);
        return connection;
    });

    public static Task<string> ConnectionStringAsync() => Shared.Value;
}
