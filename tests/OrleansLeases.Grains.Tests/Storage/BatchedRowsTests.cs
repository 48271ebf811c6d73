using Npgsql;
using OrleansLeases.Conformance.Stores;
using OrleansLeases.Core;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Storage;

/// <summary>What becomes of the rows of a batch. On a database of the test's own, which it may spoil.</summary>
public sealed class BatchedRowsTests : IAsyncLifetime
{
    private string _connection = "";
    private NpgsqlDataSource _database = null!;
    private BatchedRows _rows = null!;

    public async Task InitializeAsync()
    {
        _connection = await Sql.NewDatabaseAsync();
        await LeaseSchema.MigrateAsync(_connection);
        _database = NpgsqlDataSource.Create(new LeaseConnectionString(_connection).Value);
        _rows = new(_database, "s");
    }

    public async Task DisposeAsync()
    {
        await _rows.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task BadRow_FailsAlone_AndTheOthersOfItsBatchAreStored()
    {
        await Sql.ExecuteAsync(_connection, "alter table lease_record add check (name <> 'bad')");
        var names = Enumerable.Range(0, 40).Select(i => i == 20 ? "bad" : $"n{i}").ToArray();

        var saves = await WhileTheTableIsLockedAsync(() => names.Select(SaveFirst).ToArray());

        foreach (var (name, save) in names.Zip(saves))
        {
            if (name != "bad") Assert.True(await save.WaitAsync(Calls.WaitTimeout));
            else Assert.Equal("23514", (await Assert.ThrowsAsync<PostgresException>(() => save.WaitAsync(Calls.WaitTimeout))).SqlState);
        }

        Assert.Equal(39, await CountAsync());
        // The rest gathered behind the first two.
        Assert.InRange(await Sql.ScalarAsync<long>(_connection, "select count(distinct xmin::text) from lease_record"), 2, 20);
    }

    [Fact]
    public async Task Row_ThatSomebodyKeepsLocked_HoldsUpNoOther()
    {
        Assert.True(await SaveFirst("locked"));
        await using var connection = new NpgsqlConnection(_connection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("update lease_record set modified_on = now()", connection, transaction))
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        var locked = (await _rows.LoadAsync(RecordKind.Lease, "locked"))!.Value.Record;
        var second = new StoredRecord(RecordKind.Lease, "locked", LeaseState.Unused with { Version = 2, LastToken = 2 });

        var others = Enumerable.Range(0, 20).Select(i => SaveFirst($"n{i}")).ToArray();
        var save = _rows.SaveAsync(0, locked, second, background: false);
        others = [.. others, .. Enumerable.Range(20, 20).Select(i => SaveFirst($"n{i}"))];

        foreach (var other in others) Assert.True(await other.WaitAsync(Calls.WaitTimeout));
        Assert.Equal("55P03", (await Assert.ThrowsAsync<PostgresException>(() => save.WaitAsync(Calls.WaitTimeout))).SqlState);
        await transaction.RollbackAsync();
        Assert.True(await _rows.SaveAsync(0, locked, second, background: false));
    }

    [Fact]
    public async Task Save_IsNotTold_BeforeItsCommit()
    {
        // The row has been answered for when this comes.
        await Sql.ExecuteAsync(
            _connection,
            """
            create function refuse() returns trigger language plpgsql as 'begin raise exception ''at the commit''; end';
            create constraint trigger refuse after insert on lease_record deferrable initially deferred
                for each row when (new.name = 'bad') execute function refuse();
            """);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => SaveFirst("bad"));

        Assert.Equal("P0001", refused.SqlState);
        Assert.True(DatabaseErrors.SurelyNotWritten(refused));
        Assert.Equal(0, await CountAsync());
        Assert.True(await SaveFirst("good"));
    }

    [Fact]
    public async Task Connection_LostUnderABatch_LeavesTheOutcomeOfAllItsRowsOpen_AndTheNextBatchHasAnother()
    {
        var saves = await WhileTheTableIsLockedAsync(
            () => new[] { SaveFirst("a"), SaveFirst("b"), SaveFirst("c") },
            // What goes next must not wait for the lock any more.
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                + "where datname = current_database() and wait_event_type = 'Lock'");

        var lost = 0;
        foreach (var save in saves)
        {
            var error = await Record.ExceptionAsync(() => save.WaitAsync(Calls.WaitTimeout));
            if (error is null) continue;
            Assert.False(DatabaseErrors.SurelyNotWritten(error), error.ToString());
            lost++;
        }

        Assert.InRange(lost, 1, 3);
        Assert.True(await SaveFirst("later"));
        Assert.Equal(3 - lost + 1, await CountAsync());
    }

    [Fact]
    public async Task AddOrLoad_OfATakenName_ReadsWhatIsThere_WithItsLog()
    {
        var records = await SavedRecords.OfAsync(async (leases, _) =>
        {
            for (var i = 0; i < 40; i++) await leases.AddToCounterAsync("a", new AddToCounterRequest { Delta = 1, RequestId = $"{i}" });
        });
        var previous = StoredRecord.None(RecordKind.Key, "a");
        foreach (var record in records)
        {
            Assert.True(await _rows.SaveAsync(0, previous, record, background: false));
            previous = record;
        }

        var (saved, found) = await _rows.AddOrLoadAsync(0, records[0], background: false);

        Assert.False(saved);
        Assert.Equal(
            (records[^1].Version, records[^1].Tag, records[^1].FinishedSince(StoredRecord.None(RecordKind.Key, "a")).Count),
            (found!.Version, found.Tag, found.FinishedSince(StoredRecord.None(RecordKind.Key, "a")).Count));
        Assert.Equal((await _rows.LoadAsync(RecordKind.Key, "a"))!.Value.Record.Encode(), found.Encode());
    }

    [Fact]
    public async Task Writes_UnderAnotherEpoch_AreLost_AndSayNothingOfWhatIsThere()
    {
        Assert.True(await SaveFirst("a"));
        await LeaseSchema.BumpEpochAsync(_connection);

        Assert.False(await SaveFirst("b"));
        Assert.Equal((false, null), await _rows.AddOrLoadAsync(0, First("a"), background: false));
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task Updates_ThatChangeNothingIndexed_AreHot()
    {
        const int Count = 200;
        var records = await SavedRecords.OfAsync(async (leases, _) =>
        {
            for (var i = 0; i <= Count; i++) await leases.PutKeyAsync("a", new PutKeyRequest { Value = $"{i}" });
        });
        var previous = StoredRecord.None(RecordKind.Key, "a");
        foreach (var record in records)
        {
            Assert.True(await _rows.SaveAsync(0, previous, record, background: false));
            previous = record;
        }

        // The server's counts come a moment later.
        await _rows.DisposeAsync();
        await _database.DisposeAsync();
        await Calls.UntilAsync(async () => await StatisticAsync("n_tup_upd") == Count);
        Assert.InRange(await StatisticAsync("n_tup_hot_upd"), Count * 9 / 10, Count);
    }

    [Fact]
    public async Task FreshNames_AreWrittenWithoutARead()
    {
        await using var cluster = await Cluster.OnPostgresAsync();
        for (var i = 0; i < 5; i++)
        {
            Assert.Null((await cluster.Leases.AcquireAsync(Acquire($"fresh/{i}", "me"))).Refusal);
            Assert.Null((await cluster.Leases.PutKeyAsync($"fresh/{i}", Put("up"))).Refusal);
        }

        Assert.Equal(0, FaultyStorage.Of(cluster.Silo).RowLoads);
        Assert.IsType<Refusal.NotHolder>(
            (await cluster.Leases.ReleaseAsync(new() { Resource = "fresh/none", Owner = "me", Token = 1 })).Refusal);
        Assert.Equal(1, FaultyStorage.Of(cluster.Silo).RowLoads);
    }

    private static StoredRecord First(string name) =>
        new(RecordKind.Lease, name, LeaseState.Unused with { Version = 1, LastToken = 1 });

    private async Task<bool> SaveFirst(string name) =>
        await _rows.SaveAsync(0, StoredRecord.None(RecordKind.Lease, name), First(name), background: false);

    private Task<long> CountAsync() => Sql.ScalarAsync<long>(_connection, "select count(*) from lease_record");

    private Task<long> StatisticAsync(string column) =>
        Sql.ScalarAsync<long>(_connection, $"select {column} from pg_stat_user_tables where relname = 'lease_record'");

    // Nothing that is begun meanwhile is done before the lock is gone, and before what is asked for has happened to at least one.
    private async Task<T> WhileTheTableIsLockedAsync<T>(Func<T> begin, string? untilSome = null)
    {
        // However slow this machine is, it is not the lock that fails.
        await Sql.ExecuteAsync(_connection, "alter function save_lease_records set lock_timeout = 0");
        await using var connection = new NpgsqlConnection(_connection);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("lock table lease_record in exclusive mode", connection, transaction))
            await command.ExecuteNonQueryAsync();
        var begun = begin();
        if (untilSome is not null) await Calls.UntilAsync(async () => await Sql.ScalarAsync<long>(_connection, untilSome) > 0);
        await transaction.RollbackAsync();
        return begun;
    }
}
