using Npgsql;
using OrleansLeases.Fencing.PostgreSql;
using OrleansLeases.Testing;

namespace OrleansLeases.Fencing.Tests;

/// <summary>What is done outside of any transaction, and kept in order all the same.</summary>
public sealed class FenceHoldTests : IAsyncLifetime
{
    private FencedDatabase _database = null!;

    public async Task InitializeAsync() => _database = await FencedDatabase.MakeAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Hold_FromItsBeginning_CountsAsSeenWhateverBecomesOfIt()
    {
        await using var hold = await _database.Fence.HoldAsync("r", 34);
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(33));
        await _database.EndHoldsAsync();
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.Fence.HoldAsync("r", 33));
    }

    [Fact]
    public async Task GreaterToken_WaitsUntilAllHoldsAreOver()
    {
        var first = await _database.Fence.HoldAsync("r", 33);
        var second = await _database.Fence.HoldAsync("r", 33);
        var next = _database.Fence.HoldAsync("r", 34);
        await _database.SomebodyWaitsAsync();
        await first.DisposeAsync();
        await _database.SomebodyWaitsAsync();
        Assert.False(next.IsCompleted);
        await second.DisposeAsync();
        await (await next).DisposeAsync();
        Assert.False(first.LostToken.IsCancellationRequested || second.LostToken.IsCancellationRequested);
    }

    // Those who hold one after the other, so that there is always one of them inside, do not keep a greater token out.
    [Fact]
    public async Task LowerToken_ThatComesWhileAGreaterOneWaits_IsRefused()
    {
        var inside = await _database.Fence.HoldAsync("r", 33);
        var greater = _database.Fence.HoldAsync("r", 34);
        await _database.SomebodyWaitsAsync();
        var late = _database.Fence.HoldAsync("r", 33);
        await _database.SomebodyWaitsAsync(2);
        await inside.DisposeAsync();
        await (await greater).DisposeAsync();
        await Assert.ThrowsAsync<StaleTokenException>(() => late);
    }

    [Fact]
    public async Task NewTokens_ThatWaitTogether_AreInsideTogether()
    {
        var inside = await _database.Fence.HoldAsync("r", 33);
        var first = _database.Fence.HoldAsync("r", 34);
        var second = _database.Fence.HoldAsync("r", 34);
        await _database.SomebodyWaitsAsync(2);
        await inside.DisposeAsync();
        await using var one = await first;
        await using var other = await second;
    }

    [Fact]
    public async Task WriteUnderTheSameToken_WhileAGreaterOneWaits_Passes()
    {
        var hold = await _database.Fence.HoldAsync("r", 33);
        var greater = _database.Fence.HoldAsync("r", 34);
        await _database.SomebodyWaitsAsync();
        await _database.WriteAsync(33);
        await hold.DisposeAsync();
        await (await greater).DisposeAsync();
        Assert.Equal<long[]>([33], await _database.WrittenAsync());
    }

    [Fact]
    public async Task GreaterToken_ThatWaitsForTooLong_IsToldSoAndLeavesNoTrace()
    {
        await using var hold = await _database.Fence.HoldAsync("r", 33);
        var busy = await Assert.ThrowsAsync<TimeoutException>(
            () => _database.Fence.HoldAsync("r", 34, new() { LockTimeout = TimeSpan.FromMilliseconds(50) }));
        Assert.Contains("Others were inside of 'r' under lower tokens than 34", busy.Message, StringComparison.Ordinal);
        await using var again = await _database.Fence.HoldAsync("r", 33);
    }

    [Fact]
    public async Task HoldWhoseTimeIsOver_IsLostBeforeTheDatabaseEndsIt()
    {
        var clock = new ManualTimeProvider();
        await using var hold =
            await new LeaseFence(_database.Source, time: clock).HoldAsync("r", 33, new() { MaxDuration = TimeSpan.FromMinutes(1) });
        clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromTicks(1));
        Assert.False(hold.LostToken.IsCancellationRequested);
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.True(hold.LostToken.IsCancellationRequested);
        await Assert.ThrowsAsync<TimeoutException>(
            () => _database.Fence.HoldAsync("r", 34, new() { LockTimeout = TimeSpan.FromMilliseconds(50) }));
    }

    [Fact]
    public async Task HoldWhoseProcessIsPaused_IsEndedByTheServer()
    {
        // The clock that stands still is the pause. The server waits for 5 s more than the limit.
        var paused = new LeaseFence(_database.Source, time: new ManualTimeProvider());
        await using var hold = await paused.HoldAsync("r", 33, new() { MaxDuration = TimeSpan.FromMilliseconds(100) });
        await using var next = await _database.Fence.HoldAsync("r", 34, new() { LockTimeout = TimeSpan.FromMinutes(1) });
        await LostAsync(hold);
    }

    [Fact]
    public async Task HoldWhoseSessionEnds_IsLostAtOnce()
    {
        // Its time is never over by this clock.
        var fence = new LeaseFence(_database.Source, time: new ManualTimeProvider());
        await using var hold = await fence.HoldAsync("r", 33);
        await _database.EndHoldsAsync();
        await LostAsync(hold);
    }

    [Fact]
    public async Task Holds_OneAfterTheOther_KeepTheirConnection()
    {
        await using var single =
            NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_database.ConnectionString) { MaxPoolSize = 1 }.ConnectionString);
        var fence = new LeaseFence(single);
        var sessions = new HashSet<object?>();
        for (var i = 1; i <= 3; i++)
        {
            await using (await fence.HoldAsync("r", i))
            {
            }

            await using var session = single.CreateCommand("select pg_backend_pid() || current_setting('lock_timeout')");
            sessions.Add(await session.ExecuteScalarAsync());
        }

        Assert.Single(sessions);
    }

    [Fact]
    public async Task BadArguments_AreNamed()
    {
        await Assert.ThrowsAsync<ArgumentNullException>("resource", () => _database.Fence.HoldAsync(null!, 1));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("token", () => _database.Fence.HoldAsync("r", 0));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            "MaxDuration", () => _database.Fence.HoldAsync("r", 1, new() { MaxDuration = TimeSpan.Zero }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            "LockTimeout", () => _database.Fence.HoldAsync("r", 1, new() { LockTimeout = TimeSpan.FromMinutes(2) }));
        Assert.Equal(0L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
    }

    [Theory]
    [InlineData("null", "1")]
    [InlineData("'r'", "null")]
    [InlineData("'r'", "0")]
    public async Task Raise_WithNoTokenOrNoResource_RefusesAndChangesNothing(string resource, string token)
    {
        var refused =
            await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync($"select lease_fence_raise({resource}, {token})"));
        Assert.Equal(PostgresErrorCodes.InvalidParameterValue, refused.SqlState);
        Assert.Equal(0L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
    }

    private static async Task LostAsync(FenceHold hold)
    {
        var lost = new TaskCompletionSource();
        await using var registration = hold.LostToken.Register(lost.SetResult);
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }
}
