using Npgsql;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Cluster.Tests.Load;

/// <summary>
/// What the leases protect: a row for each resource that takes only tokens at least as high as the highest it has seen.
/// Whatever was accepted is written down in its order. Without the guard it takes everything, which a checker must notice.
/// </summary>
internal sealed class GuardedTable(NpgsqlDataSource database, string name, bool guarded = true)
{
    private readonly string _table = $"{name}_{(guarded ? "guarded" : "unguarded")}";
    private long _refused;

    /// <summary>How many writes were refused.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    public async Task CreateAsync(IEnumerable<string> resources)
    {
        await using var create = database.CreateCommand(
            $"""
            create table {_table} (resource text primary key, token bigint not null default 0);
            create table {_table}_accepted (
                id bigint generated always as identity primary key, resource text not null, token bigint not null, writer text not null)
            """);
        await create.ExecuteNonQueryAsync();
        await using var fill = database.CreateCommand($"insert into {_table} (resource) select unnest($1)");
        fill.Parameters.Add(new() { Value = resources.ToArray() });
        await fill.ExecuteNonQueryAsync();
    }

    /// <summary>Writes under a token.</summary>
    /// <returns>Whether it was accepted; null where the database did not say.</returns>
    public async Task<bool?> WriteAsync(Ledger.Tenure tenure)
    {
        try
        {
            // The row is locked when the number is drawn, so the numbers of one resource are in the order of its writes.
            await using var command = database.CreateCommand(
                $"""
                with written as (update {_table} set token = $2 where resource = $1 {(guarded ? "and token <= $2" : "")} returning resource)
                insert into {_table}_accepted (resource, token, writer) select resource, $2, $3 from written
                """);
            command.Parameters.Add(new() { Value = tenure.Resource });
            command.Parameters.Add(new() { Value = tenure.Token });
            command.Parameters.Add(new() { Value = tenure.Owner });
            var accepted = await command.ExecuteNonQueryAsync() == 1;
            if (!accepted) Interlocked.Increment(ref _refused);
            return accepted;
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    /// <summary>
    /// What it should not have accepted: a token after a higher one, one token of two writers, or one that nobody was granted.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindFaultsAsync(Ledger ledger)
    {
        List<string> faults = [];
        var granted = ledger.Tenures.Select(tenure => (tenure.Resource, tenure.Token, tenure.Owner)).ToHashSet();
        var last = new Dictionary<string, (long Token, string Writer)>();
        await using var command = database.CreateCommand($"select resource, token, writer from {_table}_accepted order by id");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var (resource, token, writer) = (reader.GetString(0), reader.GetInt64(1), reader.GetString(2));
            if (!granted.Contains((resource, token, writer)))
            {
                faults.Add($"'{resource}' accepted {writer} with token {token}, which was not its own.");
            }

            if (last.TryGetValue(resource, out var before) && (token < before.Token || (token == before.Token && writer != before.Writer)))
                faults.Add($"'{resource}' accepted {writer} with token {token} after {before.Writer} with {before.Token}.");
            last[resource] = (token, writer);
        }

        return faults;
    }
}
