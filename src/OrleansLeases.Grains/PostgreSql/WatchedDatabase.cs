using Npgsql;

namespace OrleansLeases.Grains;

/// <summary>The database of a silo's leases, as the silo looks at it.</summary>
internal interface IWatchedDatabase
{
    /// <summary>Looks whether the database is one of leases, before anything else is asked of it.</summary>
    /// <returns>The restore epoch.</returns>
    Task<int> CheckAsync(CancellationToken cancellationToken);

    /// <summary>Looks at what may change.</summary>
    Task<DatabaseLook> LookAsync(CancellationToken cancellationToken);
}

/// <summary>What one look at a database saw.</summary>
/// <param name="Clock">Its clock, since the Unix epoch.</param>
/// <param name="Epoch">The restore epoch.</param>
/// <param name="IsReadOnly">Whether it takes no writes.</param>
internal readonly record struct DatabaseLook(TimeSpan Clock, int Epoch, bool IsReadOnly);

/// <summary>A database on PostgreSQL.</summary>
internal sealed class WatchedPostgres(NpgsqlDataSource database) : IWatchedDatabase
{
    public Task<int> CheckAsync(CancellationToken cancellationToken) => LeaseSchema.CheckAsync(database, cancellationToken);

    public async Task<DatabaseLook> LookAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select extract(epoch from clock_timestamp())::double precision, epoch, "
                + "current_setting('transaction_read_only') from lease_meta");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new(TimeSpan.FromSeconds(reader.GetDouble(0)), reader.GetInt32(1), reader.GetString(2) == "on");
    }
}
