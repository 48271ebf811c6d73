using System.Data;
using Npgsql;

namespace OrleansLeases.Grains;

/// <summary>The schema of leases on PostgreSQL: applied by a migrator or by hand, checked by every silo at its start.</summary>
public static class LeaseSchema
{
    /// <summary>The version that this software needs.</summary>
    public const int Version = 3;

    private const string Remedy = "Run 'leases-silo migrate', call LeaseSchema.MigrateAsync, or apply sql/orleans-leases.sql with psql, "
        + "to the database that the silos use.";

    /// <summary>The schema as SQL.</summary>
    /// <value>What <c>sql/orleans-leases.sql</c> says. It may be applied again at any time.</value>
    public static string Script => Resource("orleans-leases.sql");

    /// <inheritdoc cref="MigrateAsync(NpgsqlDataSource, CancellationToken)"/>
    /// <param name="connectionString">The database. Its user must be allowed to create tables.</param>
    /// <param name="cancellationToken">Ends the call; nothing is changed then.</param>
    public static async Task MigrateAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        await using var database = NpgsqlDataSource.Create(LeaseConnectionString.Parse(connectionString));
        await MigrateAsync(database, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Brings a database to this schema, in one transaction; migrators that run at once wait for each other.</summary>
    /// <param name="database">The database. Its user must be allowed to create tables.</param>
    /// <param name="cancellationToken">Ends the call; nothing is changed then.</param>
    /// <returns>Completes when it is done.</returns>
    /// <exception cref="InvalidOperationException">A newer version of the software has migrated the database.</exception>
    /// <exception cref="NpgsqlException">The database refused or does not respond.</exception>
    public static async Task MigrateAsync(NpgsqlDataSource database, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        await using var connection = await DatabaseStart.OpenAsync(database, cancellationToken).ConfigureAwait(false);
        await using var transaction =
            await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await RunAsync("select pg_advisory_xact_lock(hashtext('orleans-leases schema'))").ConfigureAwait(false);
        if (await VersionAsync(connection, cancellationToken).ConfigureAwait(false) is { } found && found > Version)
            throw new InvalidOperationException(
                $"The database has lease schema {found}; this is version {Version}. Run the newer software.");
        await RunAsync(Script).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="GrantAsync(NpgsqlDataSource, string, CancellationToken)"/>
    /// <param name="connectionString">The database. Its user must own the schema.</param>
    /// <param name="role">The role, such as <c>leases_silo</c>; made where there is none and the user may make roles.</param>
    /// <param name="cancellationToken">Ends the call; nothing is changed then.</param>
    public static async Task GrantAsync(string connectionString, string role, CancellationToken cancellationToken = default)
    {
        await using var database = NpgsqlDataSource.Create(LeaseConnectionString.Parse(connectionString));
        await GrantAsync(database, role, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives a role what silos need, and nothing with which it could change the schema. To be repeated after each migration; it does what
    /// <c>sql/orleans-leases-role.sql</c> does.
    /// </summary>
    /// <param name="database">The database. Its user must own the schema.</param>
    /// <param name="role">The role, such as <c>leases_silo</c>; made where there is none and the user may make roles.</param>
    /// <param name="cancellationToken">Ends the call; nothing is changed then.</param>
    /// <returns>Completes when it is done.</returns>
    /// <exception cref="NpgsqlException">
    /// The role could change the schema in spite of it, there is no schema, or the database refused or does not respond.
    /// </exception>
    public static async Task GrantAsync(NpgsqlDataSource database, string role, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentException.ThrowIfNullOrWhiteSpace(role);
        await using var connection = await DatabaseStart.OpenAsync(database, cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var name = new NpgsqlCommand("select set_config('leases.role', $1, true)", connection, transaction);
        name.Parameters.Add(new() { Value = role });
        await name.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await using var script = new NpgsqlCommand(Resource("orleans-leases-role.sql"), connection, transaction);
        await script.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the restore epoch.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The epoch, 0 to 8,191.</returns>
    /// <exception cref="InvalidOperationException">The schema is missing; the message names the remedy.</exception>
    /// <exception cref="NpgsqlException">The database refused or does not respond.</exception>
    public static async Task<int> EpochAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        await using var database = NpgsqlDataSource.Create(LeaseConnectionString.Parse(connectionString));
        return await CheckAsync(database, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes every later token larger than any before: to be run with the silos stopped, after a backup was restored.
    /// </summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The new epoch.</returns>
    /// <exception cref="InvalidOperationException">The schema is missing, or the last epoch was reached.</exception>
    /// <exception cref="NpgsqlException">The database refused or does not respond.</exception>
    public static async Task<int> BumpEpochAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        await using var database = NpgsqlDataSource.Create(LeaseConnectionString.Parse(connectionString));
        await CheckAsync(database, cancellationToken).ConfigureAwait(false);
        await using var command =
            database.CreateCommand($"update lease_meta set epoch = epoch + 1 where epoch < {Core.LeaseRules.MaxEpoch} returning epoch");
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is int epoch
            ? epoch
            : throw new InvalidOperationException($"The restore epoch is {Core.LeaseRules.MaxEpoch}, the last there is.");
    }

    internal static async Task<int> CheckAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var connection = await DatabaseStart.OpenAsync(database, cancellationToken).ConfigureAwait(false);
        await SchemaRights.CheckAsync(connection, cancellationToken).ConfigureAwait(false);
        var version = await VersionAsync(connection, cancellationToken).ConfigureAwait(false);
        if (version is null)
        {
            await using var path = new NpgsqlCommand(
                "select format('%s; or %s has no right to use it', current_setting('search_path'), current_user)", connection);
            throw new InvalidOperationException(
                $"The database '{connection.Database}' has no lease schema where its search_path leads, which is "
                    + $"{await path.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false)}. {Remedy} "
                + "(A schema whose name has capitals is named in double quotes, which a connection string takes within single ones: "
                + "Search Path='\"Leases\"'.)");
        }

        if (version > Version)
        {
            throw new InvalidOperationException(
                $"The database '{connection.Database}' has lease schema {version}; this silo needs {Version}. Run the newer software.");
        }

        if (version < Version)
        {
            throw new InvalidOperationException(
                $"The database '{connection.Database}' has lease schema {version}; this silo needs {Version}. {Remedy}");
        }

        if (await LackOfAsync(connection, cancellationToken).ConfigureAwait(false) is { } missing)
            throw new InvalidOperationException($"The lease schema of the database '{connection.Database}' lacks {missing}. {Remedy}");

        await using var settings = new NpgsqlCommand(
            "select epoch, fingerprint is not distinct from lease_fingerprint(), current_setting('synchronous_commit') from lease_meta",
            connection);
        await using var found = await settings.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await found.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!found.GetBoolean(1))
            throw new InvalidOperationException(
                $"A function or a query of the lease schema of the database '{connection.Database}' was changed. {Remedy}");
        if (found.GetString(2) == "off")
            throw new InvalidOperationException(
                $"The database '{connection.Database}' has synchronous_commit off: it would lose grants after their responses, and "
                    + "grant their tokens again. Turn it on.");
        return found.GetInt32(0);
    }

    /// <summary>What someone took away by hand, which would cost safety or speed without a word; null where all is there.</summary>
    private static async Task<string?> LackOfAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var parts = new NpgsqlCommand(
            """
            select string_agg(part, ', ' order by part) from unnest(array[
                case when not exists (select from pg_constraint
                    where conname = 'lease_record_key' and contype = 'p' and conrelid = to_regclass('lease_record'))
                    then 'the key of lease_record' end,
                case when not exists (select from pg_constraint
                    where conname = 'lease_log_key' and contype = 'p' and conrelid = to_regclass('lease_log'))
                    then 'the key of lease_log' end,
                case when to_regclass('lease_record_due') is null then 'index lease_record_due' end,
                case when to_regclass('lease_record_held') is null then 'index lease_record_held' end,
                case when to_regclass('orleansreminderstable_grainhash') is null then 'index orleansreminderstable_grainhash' end,
                case when to_regproc('writetostorage') is null then 'function writetostorage' end,
                case when to_regproc('readfromstorage') is null then 'function readfromstorage' end,
                case when to_regproc('load_lease_records') is null then 'function load_lease_records' end,
                case when to_regproc('save_lease_records') is null then 'function save_lease_records' end,
                case when to_regproc('store_lease_records') is null then 'function store_lease_records' end,
                case when to_regproc('drop_lease_records') is null then 'function drop_lease_records' end,
                case when to_regproc('take_back_lease_records') is null then 'function take_back_lease_records' end,
                case when to_regclass('lease_record_idle') is null then 'index lease_record_idle' end,
                case when not exists (select from pg_constraint
                    where conname = 'lease_floor_key' and contype = 'p' and conrelid = to_regclass('lease_floor'))
                    then 'the key of lease_floor' end,
                case when to_regclass('orleansmembershiptable') is null then 'table orleansmembershiptable' end,
                case when to_regproc('lease_fingerprint') is null then 'function lease_fingerprint' end]) part
            """,
            connection);
        return await parts.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string;
    }

    private static string Resource(string name)
    {
        using var resource = typeof(LeaseSchema).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }

    private static async Task<int?> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("select to_regclass('lease_meta') is not null", connection);
        if (await exists.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true) return null;
        await using var version = new NpgsqlCommand("select schema_version from lease_meta", connection);
        return (int?)await version.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }
}
