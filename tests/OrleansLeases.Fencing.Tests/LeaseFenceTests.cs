using System.Data;
using Npgsql;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.Tests;

public sealed class LeaseFenceTests : IAsyncLifetime
{
    private FencedDatabase _database = null!;

    public async Task InitializeAsync() => _database = await FencedDatabase.MakeAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Fact]
    public async Task Write_UnderTheGreatestTokenSeen_Passes()
    {
        await _database.WriteAsync(33);
        await _database.WriteAsync(33);
        await _database.WriteAsync(35);
        Assert.Equal<long[]>([33, 33, 35], await _database.WrittenAsync());
    }

    [Fact]
    public async Task Write_UnderALowerToken_IsRefusedAndNothingIsWritten()
    {
        await _database.WriteAsync(34);
        var stale = await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(33));
        Assert.Equal(("r", 33), (stale.Resource, stale.Token));
        Assert.Contains("token 33 of r is stale: 34 has been seen", stale.Message, StringComparison.Ordinal);
        Assert.Equal<long[]>([34], await _database.WrittenAsync());
    }

    [Fact]
    public async Task Token_OfWorkThatFails_LeavesNoTrace()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => _database.Fence.RunAsync("r", 40, async (connection, _) =>
        {
            await FencedDatabase.AppendAsync(connection, 40);
            throw new TimeoutException();
        }));
        await _database.WriteAsync(33);
        Assert.Equal<long[]>([33], await _database.WrittenAsync());
    }

    [Fact]
    public async Task Work_RunsWhereItsCallerIs()
    {
        var scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        TaskScheduler? seen = null;

        await Task.Factory.StartNew(
            () => _database.Fence.RunAsync("r", 33, async (connection, _) =>
            {
                seen = TaskScheduler.Current;
                await FencedDatabase.AppendAsync(connection, 33);
            }),
            CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap();

        Assert.Same(scheduler, seen);
        Assert.Equal<long[]>([33], await _database.WrittenAsync());
    }

    [Fact]
    public async Task Names_ThatLookAlike_AreDifferentResources()
    {
        foreach (var resource in (string[])["a", "A", "a ", " a", "á", "á", "", "a'; drop table guarded; --"])
            await _database.WriteAsync(50, resource);
        await _database.WriteAsync(1, "b");
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(1, "a "));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GreaterToken_WaitsForWhoIsInside_WhoIsOverThen(bool afterAnother)
    {
        // Who raised a token has the row's lock; who comes later under the same one shares it.
        if (afterAnother) await _database.WriteAsync(33);
        var (connection, transaction) = await _database.EnterAsync(33);
        var next = _database.WriteAsync(34);
        await _database.SomebodyWaitsAsync();
        await FencedDatabase.AppendAsync(connection, 33);
        Assert.False(next.IsCompleted);
        await transaction.CommitAsync();
        await next;
        await connection.DisposeAsync();
        Assert.Equal<long[]>(afterAnother ? [33, 33, 34] : [33, 34], await _database.WrittenAsync());
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(33));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LowerToken_WhileAGreaterOneIsInside_IsRefusedIfThatCommits(bool commits)
    {
        var (connection, transaction) = await _database.EnterAsync(34);
        var late = _database.WriteAsync(33);
        await _database.SomebodyWaitsAsync();
        await (commits ? transaction.CommitAsync() : transaction.RollbackAsync());
        await connection.DisposeAsync();
        if (commits) await Assert.ThrowsAsync<StaleTokenException>(() => late);
        else await late;
    }

    // Who sets a token by hand stands in no line.
    [Fact]
    public async Task TokenSetByHand_WhileAWriterIsAboutToRaiseIt_IsNotSetBack()
    {
        await _database.WriteAsync(33);
        await using var owner = await _database.Source.OpenConnectionAsync();
        await using var transaction = await owner.BeginTransactionAsync();
        await using (var reset = new NpgsqlCommand("select lease_fence_reset('r', 50)", owner)) await reset.ExecuteNonQueryAsync();
        var writer = _database.WriteAsync(34);
        await _database.SomebodyWaitsAsync();

        await transaction.CommitAsync();

        await Assert.ThrowsAsync<StaleTokenException>(() => writer);
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(49));
    }

    [Fact]
    public async Task WritersUnderOneToken_AreInsideTogether()
    {
        await _database.WriteAsync(33);
        var (first, one) = await _database.EnterAsync(33);
        var (second, other) = await _database.EnterAsync(33);
        await other.CommitAsync();
        await one.CommitAsync();
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    // It does not wait for those who are inside under its own token.
    [Fact]
    public async Task WriterThatWaitedToRaiseAToken_AndFindsItRaised_GoesInBesideTheOthers()
    {
        await using var line = await _database.Source.OpenConnectionAsync();
        var key = await _database.LineAsync();
        await using (var take = new NpgsqlCommand("select pg_advisory_lock($1)", line) { Parameters = { new() { Value = key } } })
        {
            await take.ExecuteNonQueryAsync();
        }

        var second = _database.WriteAsync(33);
        await _database.SomebodyWaitsAsync();
        await using (var raise = new NpgsqlCommand("select lease_fence('r', 33)", line)) await raise.ExecuteNonQueryAsync();
        var (first, inside) = await _database.EnterAsync(33);
        await using (var leave = new NpgsqlCommand("select pg_advisory_unlock($1)", line) { Parameters = { new() { Value = key } } })
        {
            await leave.ExecuteNonQueryAsync();
        }

        await second.WaitAsync(TimeSpan.FromSeconds(60));
        await inside.CommitAsync();
        await first.DisposeAsync();
    }

    [Theory]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task LowerToken_InATransactionWithAnOlderView_DoesNotPass(IsolationLevel level)
    {
        await _database.WriteAsync(33);
        await using var connection = await _database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(level);
        await using (var look = new NpgsqlCommand("select from guarded", connection)) await look.ExecuteNonQueryAsync();
        await _database.WriteAsync(34);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => LeaseFence.PassAsync(connection, "r", 33));
        Assert.Equal(PostgresErrorCodes.SerializationFailure, refused.SqlState);
    }

    // In whatever order they come, the tokens of what is committed never go down.
    [Fact]
    public async Task Writers_ManyAtOnce_NeverGoBack()
    {
        var (passed, refused) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async writer =>
        {
            var random = new Random(writer);
            for (var i = 1; i <= 60; i++)
            {
                try
                {
                    await _database.WriteAsync(i + random.Next(10));
                    Interlocked.Increment(ref passed);
                }
                catch (StaleTokenException)
                {
                    Interlocked.Increment(ref refused);
                }
            }
        }));
        var written = await _database.WrittenAsync();
        Assert.Equal(passed, written.Length);
        Assert.Equal(written.Order(), written);
        Assert.True(refused > 20 && passed > 20, $"{refused} refused and {passed} passed show too little.");
    }

    [Fact]
    public async Task WriterPausedInTheMiddle_IsEndedByTheServerAndWritesNothing()
    {
        var impatient = new LeaseFence(_database.Source, TimeSpan.FromMilliseconds(100));
        var (inside, wakesUp) = (new TaskCompletionSource(), new TaskCompletionSource());
        var paused = impatient.RunAsync("r", 33, async (connection, _) =>
        {
            inside.SetResult();
            await FencedDatabase.AppendAsync(connection, 33);
            await wakesUp.Task;
            await FencedDatabase.AppendAsync(connection, 33);
        });
        await inside.Task;
        await _database.WriteAsync(34);
        wakesUp.SetResult();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => paused);
        Assert.Equal<long[]>([34], await _database.WrittenAsync());
    }

    [Fact]
    public async Task Install_Again_KeepsWhatWasSeen()
    {
        await _database.WriteAsync(34);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _database.Fence.InstallAsync()));
        await Assert.ThrowsAsync<StaleTokenException>(() => _database.WriteAsync(33));
    }

    [Fact]
    public async Task ThoseWhoWrite_CannotSetTokensByHand()
    {
        var role = $"writer_{Guid.NewGuid():N}";
        await _database.ExecuteAsync(
            $"create role {role}; grant usage on schema {_database.Schema} to {role}; grant all on guarded to {role}");
        await _database.Fence.InstallAsync([role]);
        await using (var connection = await _database.Source.OpenConnectionAsync())
        {
            await RunAsync($"set role {role}");
            var refused = await Assert.ThrowsAsync<PostgresException>(() => RunAsync("delete from lease_fence_token"));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
            // Nor put a table of their own before it.
            await _database.WriteAsync(34);
            await RunAsync("create temporary table lease_fence_token (resource text primary key, token bigint not null)");
            await Assert.ThrowsAsync<StaleTokenException>(() => LeaseFence.PassAsync(connection, "r", 33));
            await RunAsync("reset role");

            async Task RunAsync(string sql)
            {
#pragma warning disable CA2100 // Tests write their statements themselves.
                await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
                await command.ExecuteNonQueryAsync();
            }
        }

        await _database.ExecuteAsync($"drop owned by {role}; drop role {role}");
    }

    [Theory]
    [InlineData("null", "1")]
    [InlineData("'r'", "null")]
    [InlineData("'r'", "0")]
    [InlineData("'r'", "-1")]
    public async Task Function_WithNoTokenOrNoResource_RefusesAndChangesNothing(string resource, string token)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync($"select lease_fence({resource}, {token})"));
        Assert.Equal(PostgresErrorCodes.InvalidParameterValue, refused.SqlState);
        Assert.Equal(0L, await _database.ExecuteAsync("select count(*) from lease_fence_token"));
    }

    [Fact]
    public async Task BadArguments_AreNamed()
    {
        Assert.Throws<ArgumentNullException>("database", () => new LeaseFence(null!));
        Assert.Throws<ArgumentOutOfRangeException>("pauseLimit", () => new LeaseFence(_database.Source, TimeSpan.Zero));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("token", () => _database.WriteAsync(0));
        await Assert.ThrowsAsync<ArgumentNullException>("resource", () => _database.WriteAsync(1, null!));
    }
}
