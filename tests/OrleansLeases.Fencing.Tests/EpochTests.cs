using Npgsql;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.Tests;

/// <summary>Tokens of a restore epoch that the fence was not told of: a restored lease service's, or nobody's.</summary>
public sealed class EpochTests : IAsyncLifetime
{
    private const long EpochOne = 1L << 40;

    private FencedDatabase _database = null!;

    public async Task InitializeAsync() => _database = await FencedDatabase.MakeAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData(EpochOne)]
    [InlineData((1L << 53) - 1)]
    // Milliseconds since 1970.
    [InlineData(1_900_000_000_000)]
    public async Task Token_OfAnUnknownEpoch_IsRefusedInEveryWay_AndClosesNothing(long token)
    {
        await _database.WriteAsync(33);

        var refused = await Assert.ThrowsAsync<UnknownEpochException>(() => _database.WriteAsync(token));
        Assert.Equal(("r", token, (int)(token >> 40)), (refused.Resource, refused.Token, refused.Epoch));
        Assert.Contains($"select lease_fence_accept_epoch({token >> 40})", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<UnknownEpochException>(() => _database.WriteAsync(token, "never seen"));
        await Assert.ThrowsAsync<UnknownEpochException>(() => _database.Fence.HoldAsync("r", token));

        await _database.WriteAsync(34);
        Assert.Equal<long[]>([33, 34], await _database.WrittenAsync());
        Assert.Equal(1L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
    }

    [Fact]
    public async Task Epoch_OnceItsOwnerAcceptsIt_IsTaken_AndOldTokensUntilTheyAreOvertaken()
    {
        await _database.WriteAsync(33);
        await _database.Fence.AcceptEpochAsync(2);

        await _database.WriteAsync(34);
        await _database.WriteAsync(EpochOne + 1);
        await _database.WriteAsync(EpochOne + EpochOne + 1);

        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(EpochOne + 2));
        await Assert.ThrowsAsync<UnknownEpochException>(() => _database.WriteAsync(3 * EpochOne));
    }

    [Fact]
    public async Task Epoch_ThatWasAcceptedByMistake_IsTakenBack_AndWhatItClosedIsOpenedAgain()
    {
        await _database.Fence.AcceptEpochAsync(8191);
        await _database.WriteAsync((1L << 53) - 1);

        await _database.Fence.AcceptEpochAsync(0);
        await _database.ExecuteAsync("select lease_fence_reset('r', 0)");

        await Assert.ThrowsAsync<UnknownEpochException>(() => _database.WriteAsync((1L << 53) - 1));
        await _database.WriteAsync(1);
    }

    [Fact]
    public async Task Epoch_IsAcceptedByTheOwnerAlone()
    {
        var role = $"writer_{Guid.NewGuid():N}";
        await _database.ExecuteAsync($"create role {role}; grant usage on schema {_database.Schema} to {role}");
        await _database.Fence.InstallAsync([role]);

        foreach (var attempt in (string[])["select lease_fence_accept_epoch(1)", "update lease_fence_epoch set epoch = 1"])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(
                () => _database.ExecuteAsync($"begin; set local role {role}; {attempt}; commit"));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }

        await _database.ExecuteAsync($"drop owned by {role}; drop role {role}");
    }

    [Fact]
    public async Task Epoch_OutOfBounds_IsRefusedByName()
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("epoch", () => _database.Fence.AcceptEpochAsync(-1));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("epoch", () => _database.Fence.AcceptEpochAsync(8192));
        foreach (var epoch in (string[])["-1", "8192", "null"])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(
                () => _database.ExecuteAsync($"select lease_fence_accept_epoch({epoch})"));
            Assert.Equal(PostgresErrorCodes.InvalidParameterValue, refused.SqlState);
        }
    }

    // Its epochs were taken without having been accepted.
    [Fact]
    public async Task Fence_OfBeforeItKnewEpochs_TakesThoseThatItHasSeen()
    {
        await _database.ExecuteAsync(
            $"drop table lease_fence_epoch; insert into lease_fence_token values ('r', {(3 * EpochOne) + 5}), ('s', 7)");

        await _database.Fence.InstallAsync();

        await _database.WriteAsync((3 * EpochOne) + 6);
        await _database.WriteAsync((3 * EpochOne) + 1, "s");
        await Assert.ThrowsAsync<UnknownEpochException>(() => _database.WriteAsync(4 * EpochOne));
    }
}
