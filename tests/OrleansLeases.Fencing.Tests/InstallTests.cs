using System.Transactions;
using Npgsql;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.Tests;

/// <summary>Who may call the fence, and what is refused when it is installed.</summary>
public sealed class InstallTests : IAsyncLifetime
{
    private readonly string _role = $"role_{Guid.NewGuid():N}";
    private FencedDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _database = await FencedDatabase.MakeAsync();
        await _database.ExecuteAsync($"create role {_role}; grant usage on schema {_database.Schema} to {_role}");
    }

    public async Task DisposeAsync()
    {
        await _database.ExecuteAsync($"drop owned by {_role} cascade; drop role {_role}");
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData("select lease_fence('r', 7)")]
    [InlineData("select lease_fence_raise('r', 7)")]
    [InlineData("select lease_fence_reset('r', 7)")]
    [InlineData("update lease_fence_token set token = 7")]
    public async Task Role_WithoutAGrant_CallsNothing(string call)
    {
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await AsRoleAsync(call));
    }

    [Fact]
    public async Task Role_WithAGrant_PassesTheFence_AndDoesNotResetIt()
    {
        await _database.Fence.InstallAsync([_role]);

        Assert.Null(await AsRoleAsync("select lease_fence_raise('r', 7); select lease_fence('r', 7)"));
        Assert.Equal("LF001", await AsRoleAsync("select lease_fence('r', 6)"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, await AsRoleAsync("select lease_fence_reset('r', 1)"));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("9007199254740992")]
    [InlineData("9223372036854775807")]
    public async Task Token_OutOfBounds_IsRefusedAndClosesNothing(string token)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync($"select lease_fence('r', {token})"));
        Assert.Equal(PostgresErrorCodes.InvalidParameterValue, refused.SqlState);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => _database.WriteAsync(long.Parse(token, System.Globalization.CultureInfo.InvariantCulture)));

        await _database.WriteAsync(1);
    }

    [Fact]
    public async Task Reset_ByTheOwner_OpensWhatWasClosed()
    {
        await _database.WriteAsync((1L << 40) - 1);
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(7));

        await _database.ExecuteAsync("select lease_fence_reset('r', 6)");

        await _database.WriteAsync(7);
    }

    [Fact]
    public async Task Install_Again_KeepsTokensAndGrants()
    {
        await _database.Fence.InstallAsync([_role]);
        await _database.WriteAsync(7);

        await _database.Fence.InstallAsync();

        Assert.Equal("LF001", await AsRoleAsync("select lease_fence('r', 6)"));
    }

    // What runs with the fence's rights, or in its place, or takes its tokens.
    [Theory]
    [InlineData("alter schema {schema} owner to {role}", "belongs to")]
    [InlineData("grant create on schema {schema} to public", "everybody may create")]
    [InlineData("grant create on schema {schema} to {role}", "may create")]
    [InlineData("alter function lease_fence(text, bigint) owner to {role}", "belongs to")]
    [InlineData("create function lease_fence(text, int) returns void language sql as ''", "lease_fence(text,integer)")]
    [InlineData("create function lease_fence_raise(int) returns void language sql as ''", "lease_fence_raise(integer)")]
    [InlineData("create function lease_fence_admit(int) returns void language sql as ''", "lease_fence_admit(integer)")]
    [InlineData("alter table lease_fence_token owner to {role}", "not the fence's table")]
    [InlineData("alter table lease_fence_token enable row level security", "not the fence's table")]
    [InlineData("grant update on lease_fence_epoch to {role}", "not the fence's table")]
    [InlineData("drop table lease_fence_epoch; create view lease_fence_epoch as select 8191 as epoch", "not the fence's table")]
    [InlineData("grant update on lease_fence_token to {role}", "not the fence's table")]
    [InlineData("alter table lease_fence_token add more int", "not the fence's table")]
    [InlineData("create rule r as on update to lease_fence_token do instead nothing", "not the fence's table")]
    [InlineData(
        "drop table lease_fence_token cascade; create view lease_fence_token as select 'r' as resource, 1::bigint as token",
        "not the fence's table")]
    public async Task Install_WhereSomebodyPreparedIt_IsRefused(string prepared, string told)
    {
        await _database.ExecuteAsync(prepared
            .Replace("{schema}", _database.Schema, StringComparison.Ordinal).Replace("{role}", _role, StringComparison.Ordinal));

        var refused = await Assert.ThrowsAsync<PostgresException>(() => _database.Fence.InstallAsync());

        Assert.Contains(told, refused.MessageText, StringComparison.Ordinal);
        Assert.Contains("schema of your own", refused.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_InAnAmbientTransaction_IsRefusedInWordsBeforeAnything()
    {
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _database.WriteAsync(7));

        Assert.Contains("PassAsync", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pass_InAnAmbientTransaction_IsPartOfIt()
    {
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await _database.Source.OpenConnectionAsync();
            await LeaseFence.PassAsync(connection, "r", 9);
            await FencedDatabase.AppendAsync(connection, 9);
        }

        await _database.WriteAsync(7);
        Assert.Equal<long[]>([7], await _database.WrittenAsync());
    }

    [Fact]
    public async Task HoldAndInstall_InAnAmbientTransaction_AreNoPartOfIt()
    {
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await _database.Fence.InstallAsync();
            await using var hold = await _database.Fence.HoldAsync("r", 9);
        }

        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(7));
    }

    private async Task<string?> AsRoleAsync(string sql)
    {
        try
        {
            await _database.ExecuteAsync($"begin; set local role {_role}; {sql}; commit");
            return null;
        }
        catch (PostgresException error)
        {
            return error.SqlState;
        }
    }
}
