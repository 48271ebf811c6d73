using Npgsql;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.Tests;

/// <summary>
/// A role of the same database to which the fence's owner has granted nothing, and that does what every role may: it neither passes the
/// fence nor closes it.
/// </summary>
public sealed class StrangerTests : IAsyncLifetime
{
    private readonly string _role = $"stranger_{Guid.NewGuid():N}";
    private FencedDatabase _database = null!;
    private NpgsqlDataSource _stranger = null!;

    public async Task InitializeAsync()
    {
        _database = await FencedDatabase.MakeAsync();
        await _database.ExecuteAsync($"create role {_role} login password '{_role}'; create schema {_role} authorization {_role}");
        _stranger = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_database.ConnectionString)
        {
            Username = _role, Password = _role, SearchPath = _role,
        });
    }

    public async Task DisposeAsync()
    {
        await _stranger.DisposeAsync();
        await _database.ExecuteAsync($"drop owned by {_role} cascade; drop role {_role}");
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Stranger_WhoHoldsTheLine_KeepsNobodyOut()
    {
        await _database.WriteAsync(33);
        await using var lurking = await _stranger.OpenConnectionAsync();
        await RunAsync(lurking, await TakeLineAsync());

        await _database.WriteAsync(34);
        await using (await _database.Fence.HoldAsync("r", 35, new() { LockTimeout = TimeSpan.FromSeconds(1) }))
        {
            await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(34));
        }

        Assert.Equal<long[]>([33, 34], await _database.WrittenAsync());
    }

    // It comes to the front while another waits behind it.
    [Fact]
    public async Task Stranger_WhoWaitsInTheLine_KeepsNobodyOut()
    {
        var (inside, transaction) = await _database.EnterAsync(33);
        await using var lurking = await _stranger.OpenConnectionAsync();
        var taken = RunAsync(lurking, await TakeLineAsync());
        await _database.SomebodyWaitsAsync();
        var next = _database.WriteAsync(34);
        await _database.SomebodyWaitsAsync(2);

        await transaction.CommitAsync();
        await inside.DisposeAsync();
        await taken;

        await next;
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(33));
    }

    // A caller whose search path has a stranger's schema behind that of the fence.
    [Fact]
    public async Task Stranger_WithFunctionsAndTablesOfTheSameNames_IsNeverCalled()
    {
        await using (var preparing = await _stranger.OpenConnectionAsync())
        {
            await RunAsync(
                preparing,
                """
                create table lease_fence_token (resource text primary key, token bigint not null);
                create table lease_fence_epoch (epoch integer not null);
                insert into lease_fence_epoch values (8191);
                create function lease_fence(text, bigint) returns void language sql as '';
                create function lease_fence(text, integer) returns void language sql as '';
                create function lease_fence(character varying, bigint) returns void language sql as '';
                create function lease_fence_raise(text, bigint) returns void language sql as '';
                create function lease_fence_admit(text) returns void language sql as '';
                """ + $"grant usage on schema {_role} to public; grant all on all tables in schema {_role} to public");
        }

        await using var mixed = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(_database.ConnectionString) { SearchPath = $"{_database.Schema},{_role}" });
        var fence = new LeaseFence(mixed);
        await fence.InstallAsync();
        await fence.RunAsync("r", 34, (connection, _) => FencedDatabase.AppendAsync(connection, 34));

        await Assert.ThrowsAsync<StaleTokenException>(() => fence.RunAsync("r", 33, (_, _) => Task.CompletedTask));
        await Assert.ThrowsAsync<StaleTokenException>(() => fence.HoldAsync("r", 33));
        await Assert.ThrowsAsync<UnknownEpochException>(() => fence.HoldAsync("r", 1L << 40));
        // Named by its schema, whatever comes first: the number that PostgreSQL would rather give to the stranger's function.
        await using var turned = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(_database.ConnectionString) { SearchPath = $"{_role},{_database.Schema}" });
        await using var caller = await turned.OpenConnectionAsync();
        var stale = await Assert.ThrowsAsync<PostgresException>(
            () => RunAsync(caller, $"select {_database.Schema}.lease_fence('r', 33)"));
        Assert.Equal("LF001", stale.SqlState);
    }

    // It would run with the rights of who installs.
    [Fact]
    public async Task Stranger_WithAnOperatorInTheSearchPath_IsNotRunByTheInstallation()
    {
        await using (var preparing = await _stranger.OpenConnectionAsync())
        {
            await RunAsync(
                preparing,
                """
                create function stolen(oid[], oid) returns oid[] language plpgsql as 'begin raise exception ''stolen''; end';
                create operator || (leftarg = oid[], rightarg = oid, function = stolen);
                """ + $"grant usage on schema {_role} to public");
        }

        await using var mixed = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(_database.ConnectionString) { SearchPath = $"{_database.Schema},{_role}" });
        // So that there are rights on the schema to look through.
        await _database.ExecuteAsync($"grant usage on schema {_database.Schema} to {_role}");
        await using (var used = mixed.CreateCommand("select array[1::oid] || 2::oid"))
            Assert.Equal("stolen", (await Assert.ThrowsAsync<PostgresException>(() => used.ExecuteNonQueryAsync())).MessageText);

        await new LeaseFence(mixed).InstallAsync();

        await _database.WriteAsync(33);
    }

    [Fact]
    public async Task Names_AreBounded_SoThatTheyFillNoMoreThanTheyMay()
    {
        await _database.WriteAsync(33, new string('ü', 256));
        var refused = await Assert.ThrowsAsync<PostgresException>(() => _database.WriteAsync(33, new string('ü', 256) + "."));

        Assert.Equal(PostgresErrorCodes.InvalidParameterValue, refused.SqlState);
        Assert.Contains("at most 512 bytes", refused.MessageText, StringComparison.Ordinal);
        Assert.Equal(1L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
    }

    // What orders those who raise the token of a resource; the locks that are held show it to everybody, and anybody may take it.
    private async Task<string> TakeLineAsync() => $"select pg_advisory_lock({await _database.LineAsync()})";

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
#pragma warning disable CA2100 // Tests write their statements themselves.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
