using OrleansLeases.Testing;

namespace OrleansLeases.Grains.Tests.Worlds;

/// <summary>
/// The database of all tests of this assembly, with the schema: the one that <c>LEASES_TEST_POSTGRES</c> names, or a
/// private one. Tests keep apart by their service ids.
/// </summary>
internal static class TestDatabase
{
    private static readonly Lazy<Task<string>> Shared = new(async () =>
    {
        var connection = Environment.GetEnvironmentVariable("LEASES_TEST_POSTGRES");
        if (string.IsNullOrEmpty(connection))
        {
            // What these tests store need not survive the machine.
            var server = await PostgresServer.StartAsync("fsync=off");
            AppDomain.CurrentDomain.ProcessExit += (_, _) => server.DisposeAsync().AsTask().Wait();
            connection = server.ConnectionString;
        }

        await LeaseSchema.MigrateAsync(connection);
        return connection;
    });

    public static Task<string> ConnectionStringAsync() => Shared.Value;
}
