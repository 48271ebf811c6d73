using Npgsql;
using OrleansLeases.Fencing.PostgreSql;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Load;

/// <summary>
/// What the leases protect: a table that holders write under their tokens, through the fence. What it took is written down in its order.
/// </summary>
/// <param name="database">Where it is.</param>
/// <param name="fenced">Without the fence it takes everything, which its check must notice.</param>
internal sealed class FencedTable(NpgsqlDataSource database, bool fenced = true)
{
    private readonly LeaseFence _fence = new(database, TimeSpan.FromSeconds(2));
    private long _refused;

    /// <summary>How many writes were refused for a stale token.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    public async Task CreateAsync()
    {
        await _fence.InstallAsync();
        await using var create = database.CreateCommand(
            """
            create table if not exists torture_writes (
                id bigint generated always as identity primary key, resource text not null, token bigint not null, writer text not null)
            """);
        await create.ExecuteNonQueryAsync();
    }

    /// <summary>Writes under a token; whether the database takes it, or does not say, is its own affair.</summary>
    public async Task WriteAsync(Ledger.Tenure tenure)
    {
        try
        {
            if (fenced) await _fence.RunAsync(tenure.Resource, tenure.Token, InsertAsync);
            else await using (var connection = await database.OpenConnectionAsync()) await InsertAsync(connection, default);
        }
        catch (StaleTokenException)
        {
            Interlocked.Increment(ref _refused);
        }
        catch (Exception away) when (away is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            // The database is away, or was while the connection was open.
        }

        // Behind the fence, so that the numbers of a resource are in the order of its writes.
        async Task InsertAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
        {
            await using var insert = new NpgsqlCommand(
                "insert into torture_writes (resource, token, writer) values ($1, $2, $3)", connection);
            insert.Parameters.Add(new() { Value = tenure.Resource });
            insert.Parameters.Add(new() { Value = tenure.Token });
            insert.Parameters.Add(new() { Value = tenure.Owner });
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Writes that were let through under a token that had been overtaken, or that was somebody else's.</summary>
    public async Task<IReadOnlyList<string>> FindFaultsAsync()
    {
        List<string> faults = [];
        Dictionary<string, (long Token, string Writer)> last = [];
        await using var command = database.CreateCommand("select resource, token, writer from torture_writes order by id");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var (resource, token, writer) = (reader.GetString(0), reader.GetInt64(1), reader.GetString(2));
            if (last.TryGetValue(resource, out var before) && (token < before.Token || (token == before.Token && writer != before.Writer)))
                faults.Add($"'{resource}' took a write of {writer} with token {token} after one of {before.Writer} with {before.Token}.");
            last[resource] = (token, writer);
        }

        return faults;
    }
}
