using Npgsql;

namespace OrleansLeases.Grains.Tests;

/// <summary>
/// The role that silos run as: the rights of its script are what silos need, and no more. That they are enough shows in all other tests
/// on PostgreSQL, whose silos run as it.
/// </summary>
public sealed class SiloRoleTests : IAsyncLifetime
{
    private const string Role = TestDatabase.SiloRole;

    private string _owner = "";

    private string Silo => TestDatabase.AsSilo(_owner);

    public async Task InitializeAsync()
    {
        _owner = await Sql.NewDatabaseAsync();
        // As in databases where nobody may do anything unless it is granted.
        await Sql.ExecuteAsync(_owner, "alter default privileges revoke execute on functions from public");
        await LeaseSchema.MigrateAsync(_owner);
        await LeaseSchema.GrantAsync(_owner, Role);
        await Sql.ExecuteAsync(_owner, $"alter role {Role} password '{Role}'");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Role_ReachesAllThatIsInTheSchema()
    {
        const string Unreached = """
            select coalesce(string_agg(part, ', ' order by part), '') from (
                select oid::regclass::text as part from pg_class
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm', 'p', 'S')
                    and not has_table_privilege('leases_silo', oid, 'select')
                union all
                select oid::regprocedure::text from pg_proc
                where pronamespace = 'public'::regnamespace and not has_function_privilege('leases_silo', oid, 'execute')) parts
            """;
        // What is not there says that a table or function is newer than the role's script: add it there, and to SchemaRights.
        Assert.Equal("", await Sql.ScalarAsync<string>(_owner, Unreached));

        await Sql.ExecuteAsync(_owner, "create table newer (); create function newest() returns integer return 1");
        Assert.Equal("newer, newest()", await Sql.ScalarAsync<string>(_owner, Unreached));
    }

    [Fact]
    public async Task Role_CannotChangeTheSchema_OrForgetWhatIsKept()
    {
        foreach (var sql in new[]
        {
            "drop table lease_log",
            "truncate lease_record",
            "truncate lease_log",
            "truncate orleansmembershiptable",
            "alter table lease_record add column more integer",
            "create index more on lease_record (version)",
            "drop index lease_record_due",
            "create trigger more before update on lease_record for each row execute function suppress_redundant_updates_trigger()",
            "create table more ()",
            "create or replace function lease_name(key text) returns text language sql as 'select key'",
            "create function more() returns integer return 1",
            "create or replace view leases as select 1 as service_id",
            "delete from lease_record",
            "delete from lease_log",
            "update lease_meta set epoch = epoch + 1",
            "insert into lease_meta (schema_version) values (1)",
            "update orleansquery set querytext = ''",
            "delete from orleansquery",
        })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => Sql.ExecuteAsync(Silo, sql));
            Assert.Equal((sql, PostgresErrorCodes.InsufficientPrivilege), (sql, refused.SqlState));
        }
    }

    [Fact]
    public async Task Check_NamesEachRightThatIsMissing_AndTheRemedy()
    {
        Assert.Equal(0, await LeaseSchema.EpochAsync(Silo));
        var granted = (await Sql.ScalarAsync<string>(
            _owner,
            """
            select string_agg(format('%s on %s', lower(privilege_type), table_name), ';') from information_schema.role_table_grants
            where grantee = 'leases_silo' and table_name not in ('leases', 'lease_keys')
            """)).Split(';').Append("execute on function save_lease_records").Append("execute on function lease_fingerprint");
        foreach (var right in granted)
        {
            await Sql.ExecuteAsync(_owner, $"revoke {right} from {Role}");
            var said = (await Assert.ThrowsAsync<InvalidOperationException>(() => LeaseSchema.EpochAsync(Silo))).Message;
            Assert.Contains(
                $"'{Role}' lacks {right.Replace("function ", "", StringComparison.Ordinal)} in", said, StringComparison.Ordinal);
            Assert.Contains("'leases-silo migrate --grant leases_silo'", said, StringComparison.Ordinal);
            await Sql.ExecuteAsync(_owner, $"grant {right} to {Role}");
        }

        await Sql.ExecuteAsync(_owner, $"revoke usage on schema public from public, {Role}");
        Assert.Contains(
            "or leases_silo has no right to use it",
            (await Assert.ThrowsAsync<InvalidOperationException>(() => LeaseSchema.EpochAsync(Silo))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Script_AppliedAgain_LeavesTheSameRights_AndTakesOthersAway()
    {
        var before = await RightsAsync();
        await LeaseSchema.GrantAsync(_owner, Role);
        Assert.Equal(before, await RightsAsync());

        await Sql.ExecuteAsync(_owner, $"grant truncate, delete on lease_record to {Role}");
        Assert.NotEqual(before, await RightsAsync());
        await LeaseSchema.GrantAsync(_owner, Role);
        Assert.Equal(before, await RightsAsync());

        Task<string> RightsAsync() => Sql.ScalarAsync<string>(
            _owner,
            $"""
            select string_agg(part, ' ' order by part) from (
                select format('%s %s', table_name, privilege_type) as part
                from information_schema.role_table_grants where grantee = '{Role}'
                union all
                select format('%s %s', routine_name, privilege_type)
                from information_schema.role_routine_grants where grantee = '{Role}') rights
            """);
    }

    [Fact]
    public async Task Script_ForARoleThatCouldChangeTheSchemaAllTheSame_Refuses()
    {
        await AssertRefusedAsync("postgres", "it is a superuser");
        await Sql.ExecuteAsync(_owner, $"create view theirs as select 1; alter view theirs owner to {Role}");
        await AssertRefusedAsync(Role, "some of what is in the schema public belongs to it");
        await Sql.ExecuteAsync(_owner, "drop view theirs; grant create on schema public to public");
        await AssertRefusedAsync(Role, "revoke create on schema public from public");
        await AssertRefusedAsync(Role, "apply orleans-leases.sql first", await Sql.NewDatabaseAsync());

        async Task AssertRefusedAsync(string role, string reason, string? database = null)
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => LeaseSchema.GrantAsync(database ?? _owner, role));
            Assert.Contains(reason, refused.MessageText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Migrate_AsTheRole_IsRefused_AndChangesNothing()
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => LeaseSchema.MigrateAsync(Silo));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        Assert.Equal(0, await LeaseSchema.EpochAsync(Silo));
    }
}
