using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using OrleansLeases.Conformance.Stores;
using OrleansLeases.Core;
using OrleansLeases.Embedded;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Storage;

/// <summary>
/// Drops whose backend is killed at each step, or whose server crashes; and others that write the same name meanwhile. On a server of their
/// own, which they hold up where they want it.
/// </summary>
public sealed class DropCrashTests(DropCrashTests.Server server) : IClassFixture<DropCrashTests.Server>, IAsyncLifetime
{
    private const string Name = "a";

    private readonly string _serviceId = Cluster.NewServiceId();
    private readonly Stack<IAsyncDisposable> _open = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        while (_open.TryPop(out var open)) await open.DisposeAsync();
    }

    [Theory]
    [InlineData("row")]
    [InlineData("log")]
    [InlineData("floor")]
    [InlineData("commit")]
    [InlineData("committed")]
    [InlineData("commit", Killed.Statement)]
    [InlineData("commit", Killed.Server)]
    [InlineData("committed", Killed.Server)]
    public async Task Kill_AtAStepOfADrop_LeavesItsOutcomeOpen_AndRepeatsNothing(string step, Killed killed = Killed.Backend)
    {
        foreach (var kind in new[] { RecordKind.Lease, RecordKind.Key })
        {
            var (dropping, other) = (NewStore(), NewStore());
            // Over the first, one remembers what is dropped; over the second, one makes the name anew.
            var remembers = await OpenAsync(dropping);
            var knowsNothing = await OpenAsync(other);
            var told = default((long, long));
            for (var i = 0; i < 9; i++) told = await ComesBackAsync(remembers, dropping, kind, told);
            var record = await dropping.LoadAsync(kind, Name);

            Task drop;
            await using (await server.HoldAsync(step, _serviceId, kind))
            {
                drop = dropping.DropAsync(record).AsTask();
                await server.WaitingAsync(1);
                await server.KillAsync(killed);
                await Assert.ThrowsAnyAsync<Exception>(() => drop.WaitAsync(Calls.WaitTimeout));
            }

            var isDropped = step == "committed";
            Assert.Equal(isDropped ? 0 : record.Version, (await NewStore().LoadAsync(kind, Name)).Version);
            Assert.Equal(isDropped ? record.FloorAfter : default, await server.FloorAsync(_serviceId, kind));
            Assert.Equal(!isDropped, await server.HasLogAsync(_serviceId, kind));
            told = await ComesBackAsync(knowsNothing, other, kind, told);
            told = await ComesBackAsync(remembers, dropping, kind, told);
            var next = NewStore();
            await ComesBackAsync(await OpenAsync(next), next, kind, told);
        }
    }

    [Theory]
    [InlineData(RecordKind.Lease, false)]
    [InlineData(RecordKind.Lease, true)]
    [InlineData(RecordKind.Key, false)]
    [InlineData(RecordKind.Key, true)]
    public async Task Writes_ThatMeetADrop_AreLostToIt_AndNotWhereItWasKilled(RecordKind kind, bool killed)
    {
        var (drops, remembers, knowsNothing) = (NewStore(), NewStore(), NewStore());
        foreach (var store in new[] { drops, remembers, knowsNothing }) await store.StartAsync(default);
        var records = await RecordStoreSuite.OfCyclesAsync(kind, Name, 3);
        await RecordStoreSuite.SaveAllAsync(remembers, records[..4]);
        var (stale, late) = (await remembers.LoadAsync(kind, Name), records[4]);

        Task<SaveOutcome> drop, save;
        Task<AddOrLoad> first;
        await using (await server.HoldAsync("floor", _serviceId, kind))
        {
            drop = drops.DropAsync(await drops.LoadAsync(kind, Name)).AsTask();
            await server.WaitingAsync(1);
            save = remembers.SaveAsync(stale, late, background: false).AsTask();
            await server.WaitingAsync(2);
            first = knowsNothing.AddOrLoadAsync((await RecordStoreSuite.OfCyclesAsync(kind, Name, 1))[0], background: false).AsTask();
            await server.WaitingAsync(3);
            if (killed) await server.KillAsync(Killed.Backend);
        }

        Assert.Equal(killed ? SaveOutcome.Saved : SaveOutcome.Conflict, await save.WaitAsync(Calls.WaitTimeout));
        var (outcome, found) = await first.WaitAsync(Calls.WaitTimeout);
        Assert.Equal((SaveOutcome.Conflict, killed), (outcome, found is not null));
        if (killed)
        {
            await Assert.ThrowsAnyAsync<Exception>(() => drop.WaitAsync(Calls.WaitTimeout));
            Assert.Equal(late.Version, (await knowsNothing.LoadAsync(kind, Name)).Version);
            Assert.Equal(default, await server.FloorAsync(_serviceId, kind));
            return;
        }

        Assert.Equal(SaveOutcome.Saved, await drop.WaitAsync(Calls.WaitTimeout));
        Assert.Equal(stale.FloorAfter, knowsNothing.FloorOf(kind, Name));
        var anew = (await RecordStoreSuite.OfCyclesAsync(kind, Name, 1, knowsNothing.FloorOf(kind, Name)))[0];
        Assert.Equal(SaveOutcome.Saved, (await knowsNothing.AddOrLoadAsync(anew, background: false)).Outcome);
        Assert.True(anew.Version > stale.Version);
        Assert.Equal(SaveOutcome.Conflict, await remembers.SaveAsync(stale, late, background: false));
        Assert.Equal(SaveOutcome.Conflict, await drops.DropAsync(stale));
        Assert.Equal(anew.Version, (await drops.LoadAsync(kind, Name)).Version);
    }

    // The name comes into use and out of it again, with a token or version, and a stored version, above those that were told.
    private static async Task<(long Told, long Version)> ComesBackAsync(
        ILeaseService leases, PostgresRecordStore store, RecordKind kind, (long Told, long Version) before)
    {
        long told;
        var id = Guid.NewGuid().ToString();
        if (kind == RecordKind.Lease)
        {
            var grant = await GrantedAsync(() => leases.AcquireAsync(Acquire(Name, "me", id)));
            Assert.Null((await leases.ReleaseAsync(Release(grant))).Refusal);
            told = grant.Token;
        }
        else
        {
            told = (await GrantedAsync(() => leases.PutKeyAsync(Name, Put("x", requestId: id)))).Version;
            Assert.True((await leases.DeleteKeyAsync(Name)).Value.Existed);
        }

        var now = (told, (await store.LoadAsync(kind, Name)).Version);
        Assert.True(told > before.Told && now.Version > before.Version, $"{now} came after {before}.");
        return now;
    }

    // A connection that is kept may be one to the server of before. And who remembers a record that is gone, and no floor above it, loses
    // twice, and asks for a repeat.
    private static async Task<T> GrantedAsync<T>(Func<ValueTask<LeaseResult<T>>> call)
        where T : class
    {
        var result = await call();
        for (var repeats = 0; repeats < 3 && result.Refusal is Refusal.OutcomeUnknown or Refusal.Unavailable; repeats++)
            result = await call();
        return result.Value;
    }

    private async Task<ILeaseService> OpenAsync(PostgresRecordStore store)
    {
        var leases = await EmbeddedLeases.OpenAsync(store, new() { Retain = TimeSpan.Zero });
        _open.Push(leases);
        return leases;
    }

    private PostgresRecordStore NewStore()
    {
        var database = LeaseDatabase.Of(new LeaseConnectionString(server.ConnectionString));
        var rows = new BatchedRows(database.Source, _serviceId);
        _open.Push(database);
        _open.Push(rows);
        return new(
            rows, database, Options.Create(new LeaseSiloOptions { ClockSkew = TimeSpan.FromMinutes(10) }),
            Options.Create(new ClusterOptions { ServiceId = _serviceId }), TimeProvider.System, new(TimeProvider.System),
            NullLogger<PostgresRecordStore>.Instance);
    }

    /// <summary>What of a drop is killed.</summary>
    public enum Killed
    {
        Backend,
        Statement,
        Server,
    }

    /// <summary>A server on which a drop can be held up before each of its steps.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private const string Waiting =
            """
            from pg_stat_activity
            where query like '%\_lease\_records(%' and pid <> pg_backend_pid() and wait_event_type in ('Lock', 'IPC')
            """;

        private PostgresServer _server = null!;

        public string ConnectionString => new NpgsqlConnectionStringBuilder(_server.ConnectionString)
        {
            // However slow this machine is, it is not time that ends the call. A connection that was killed is not used again.
            CommandTimeout = 60, Pooling = false,
        }.ConnectionString;

        public async Task InitializeAsync()
        {
            // Where someone waits for a standby, it waits for ever: it has committed then, and does not say so.
            _server = await PostgresServer.StartAsync("fsync=off", "synchronous_commit=local", "synchronous_standby_names=nobody");
            await LeaseSchema.MigrateAsync(ConnectionString);
            await Sql.ExecuteAsync(
                ConnectionString,
                """
                alter function drop_lease_records set lock_timeout = 0;
                alter function store_lease_records set lock_timeout = 0;
                create table wait_for_standby (service_id text);
                create function at_commit() returns trigger language plpgsql as $$
                begin
                    perform pg_advisory_xact_lock_shared(hashtext(old.service_id), hashtext(old.kind));
                    perform set_config('synchronous_commit', 'on', true) from wait_for_standby where service_id = old.service_id;
                    return null;
                end
                $$;
                create constraint trigger at_commit after delete on lease_record deferrable initially deferred
                    for each row execute function at_commit();
                """);
        }

        public async Task DisposeAsync() => await _server.DisposeAsync();

        /// <summary>Holds up the drop of a name before a step, or after the last one, until the result is disposed of.</summary>
        public async Task<IAsyncDisposable> HoldAsync(string step, string serviceId, RecordKind kind)
        {
            if (step == "committed")
            {
                await Sql.ExecuteAsync(ConnectionString, "insert into wait_for_standby values ($1)", serviceId);
                return new Held(() => Sql.ExecuteAsync(ConnectionString, "delete from wait_for_standby where service_id = $1", serviceId));
            }

            // Closed, it rolls back.
            var connection = new NpgsqlConnection(ConnectionString);
            await connection.OpenAsync();
            await connection.BeginTransactionAsync();
            await using var hold = new NpgsqlCommand(
                step switch
                {
                    "row" => "select from lease_record where service_id = $1 and kind = $2 for update",
                    "log" => "select from lease_log where service_id = $1 and kind = $2 for update",
                    "floor" => $"insert into lease_floor values ($1, $2, {RecordFloor.ShardOf(Name)}, 0, 0)",
                    _ => "select pg_advisory_xact_lock(hashtext($1), hashtext($2))",
                },
                connection);
            hold.Parameters.Add(new() { Value = serviceId });
            hold.Parameters.Add(new() { Value = RowKind.Of(kind) });
            await hold.ExecuteNonQueryAsync();
            return connection;
        }

        /// <summary>Waits until so many statements are held up.</summary>
        public Task WaitingAsync(int count) =>
            Calls.UntilAsync(async () => await Sql.ScalarAsync<long>(ConnectionString, $"select count(*) {Waiting}") == count);

        /// <summary>Ends the drop that is held up, or its backend, or crashes the whole server and starts it again.</summary>
        public async Task KillAsync(Killed killed)
        {
            if (killed != Killed.Server)
            {
                var end = killed == Killed.Backend ? "pg_terminate_backend" : "pg_cancel_backend";
                await Sql.ExecuteAsync(ConnectionString, $"select {end}(pid) {Waiting} and query like '%drop\\_lease%'");
                return;
            }

            await _server.StopAsync("immediate");
            await _server.StartAgainAsync();
        }

        /// <summary>The floor of the name's shard.</summary>
        public async Task<RecordFloor> FloorAsync(string serviceId, RecordKind kind) => new(
            await NumberAsync("coalesce(max(token), 0) from lease_floor", serviceId, kind),
            await NumberAsync("coalesce(max(sequence), 0) from lease_floor", serviceId, kind));

        /// <summary>Whether there are blocks of the name's log.</summary>
        public async Task<bool> HasLogAsync(string serviceId, RecordKind kind) =>
            await NumberAsync("count(*) from lease_log", serviceId, kind) > 0;

        private Task<long> NumberAsync(string what, string serviceId, RecordKind kind) =>
            Sql.ScalarAsync<long>(ConnectionString, $"select {what} where service_id = $1 and kind = $2", serviceId, RowKind.Of(kind));

        private sealed class Held(Func<Task> release) : IAsyncDisposable
        {
            public async ValueTask DisposeAsync() => await release();
        }
    }
}
