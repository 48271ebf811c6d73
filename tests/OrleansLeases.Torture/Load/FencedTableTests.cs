using Npgsql;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Load;

/// <summary>The fenced table itself: it refuses a token that was overtaken, and its check finds one that got through.</summary>
public sealed class FencedTableTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StaleToken_IsRefusedByTheFence_AndFoundWhereThereIsNone(bool fenced)
    {
        var connection = new NpgsqlConnectionStringBuilder(await PostgresServer.SharedAsync())
        {
            SearchPath = fenced ? "fenced" : "unfenced",
        };
        await using var database = NpgsqlDataSource.Create(connection);
        await using (var create = database.CreateCommand($"create schema \"{connection.SearchPath}\"")) await create.ExecuteNonQueryAsync();
        var table = new FencedTable(database, fenced);
        await table.CreateAsync();

        foreach (var token in new[] { 1, 2, 1 })
            await table.WriteAsync(new Ledger.Tenure("r", $"owner-{token}", token, TimeSpan.Zero));

        Assert.Equal(fenced ? 1 : 0, table.Refused);
        Assert.Equal(fenced ? 0 : 1, (await table.FindFaultsAsync()).Count);
    }
}
