using Npgsql;
using OrleansLeases.Fencing.PostgreSql;
using OrleansLeases.Testing;

namespace OrleansLeases.Fencing.Tests;

/// <summary>A schema of a test's own with the fence and a guarded table in it, on the server of all tests.</summary>
internal sealed class FencedDatabase : IAsyncDisposable
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private FencedDatabase(string schema, string connectionString)
    {
        (Schema, ConnectionString, Source) = (schema, connectionString, NpgsqlDataSource.Create(connectionString));
        Fence = new LeaseFence(Source);
    }

    public string Schema { get; }

    public NpgsqlDataSource Source { get; }

    public string ConnectionString { get; }

    public LeaseFence Fence { get; }

    public static async Task<FencedDatabase> MakeAsync()
    {
        var schema = $"fence_{Guid.NewGuid():N}";
        var settings = new NpgsqlConnectionStringBuilder(await PostgresServer.SharedAsync())
        {
            SearchPath = schema, ApplicationName = schema,
        };
        var database = new FencedDatabase(schema, settings.ConnectionString);
        await database.ExecuteAsync($"create schema {schema}");
        await database.Fence.InstallAsync();
        await database.ExecuteAsync(
            "create table guarded (id int primary key, written bigint[] not null default '{}'); insert into guarded values (1)");
        return database;
    }

    /// <summary>A block that writes its token into the guarded row.</summary>
    public Task WriteAsync(long token, string resource = "r") =>
        Fence.RunAsync(resource, token, (connection, _) => AppendAsync(connection, token));

    public static async Task AppendAsync(NpgsqlConnection connection, long token)
    {
        await using var command = new NpgsqlCommand("update guarded set written = written || $1", connection)
        {
            Parameters = { new() { Value = token } },
        };
        await command.ExecuteNonQueryAsync();
    }

    public async Task<long[]> WrittenAsync()
    {
        await using var command = Source.CreateCommand("select written from guarded");
        return (long[])(await command.ExecuteScalarAsync())!;
    }

    public async Task<object?> ExecuteAsync(string sql)
    {
#pragma warning disable CA2100 // Tests write their statements themselves.
        await using var command = Source.CreateCommand(sql);
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Opens a transaction and passes the fence in it.</summary>
    public async Task<(NpgsqlConnection Connection, NpgsqlTransaction Transaction)> EnterAsync(
        long token, System.Data.IsolationLevel level = System.Data.IsolationLevel.ReadCommitted)
    {
        var connection = await Source.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync(level);
        await LeaseFence.PassAsync(connection, "r", token);
        return (connection, transaction);
    }

    /// <summary>The key of the advisory lock that puts those in order who raise the token of the resource r.</summary>
    public async Task<long> LineAsync() =>
        (long)(await ExecuteAsync("select hashtextextended('lease_fence:r', 'lease_fence_token'::regclass::oid::bigint)"))!;

    /// <summary>Returns once somebody of this test waits for a lock, or so many do.</summary>
    public async Task SomebodyWaitsAsync(int many = 1)
    {
        using var timeout = new CancellationTokenSource(WaitTimeout);
        while ((long)(await ExecuteAsync(
            $"select count(distinct pid) from pg_locks l join pg_stat_activity a using (pid) where not l.granted and "
                + $"a.application_name = '{Schema}'"))! < many)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, timeout.Token);
    }

    /// <summary>Ends every session that has a transaction open and does nothing, as a restart of the server would.</summary>
    public async Task EndHoldsAsync() => Assert.True((long)(await ExecuteAsync(
        $"select count(pg_terminate_backend(pid)) from pg_stat_activity where state = 'idle in transaction' and "
            + $"application_name = '{Schema}'"))! > 0);

    public async ValueTask DisposeAsync()
    {
        await ExecuteAsync($"drop schema if exists {Schema} cascade");
        await Source.DisposeAsync();
    }
}
