using System.Data;
using System.Globalization;
using System.Transactions;
using Npgsql;
using IsolationLevel = System.Data.IsolationLevel;

namespace OrleansLeases.Fencing.PostgreSql;

/// <summary>
/// Admits writes under a fencing token as long as no greater token of the same resource was seen. Thread-safe.
/// </summary>
/// <remarks>
/// <para>A process that was paused past its lease's deadline cannot notice, and goes on to write. The database refuses its write,
/// in the transaction of the write, once another holder has written under a later token. Before that the write passes, in
/// order: no later holder has relied on its absence.</para>
/// <para>For exclusive leases. Tokens of shared ones are identities, not fences. The technique is in M. Kleppmann, "How to
/// do distributed locking" (2016).</para>
/// </remarks>
/// <param name="database">The database of the guarded tables. The caller disposes of it.</param>
/// <param name="pauseLimit">
/// How long a block may leave its transaction idle before the server ends it, at least 1 ms; 10 s where left out. A process
/// that is paused within a block delays the next writers by that.
/// </param>
/// <param name="time">The clock that ends a hold; the system's where left out.</param>
/// <exception cref="ArgumentNullException"><paramref name="database"/> is null.</exception>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="pauseLimit"/> is below 1 ms, or over 24 days.</exception>
public sealed class LeaseFence(NpgsqlDataSource database, TimeSpan? pauseLimit = null, TimeProvider? time = null)
{
    private const string Stale = "LF001";
    private const string UnknownEpoch = "LF002";
    private const string Pass = "select lease_fence($1, $2)";

    private readonly NpgsqlDataSource _database = database ?? throw new ArgumentNullException(nameof(database));
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly string _pauseLimit = Milliseconds(pauseLimit ?? TimeSpan.FromSeconds(10));

    /// <summary>The functions and their table as SQL.</summary>
    /// <value>What <c>sql/lease-fence.sql</c> says. It may be applied again at any time.</value>
    public static string Script
    {
        get
        {
            using var resource = typeof(LeaseFence).Assembly.GetManifestResourceStream("lease-fence.sql")!;
            using var reader = new StreamReader(resource);
            return reader.ReadToEnd();
        }
    }

    /// <summary>
    /// Installs the functions <c>lease_fence(resource, token)</c> and <c>lease_fence_raise</c> in the schema that comes first in the
    /// search path.
    /// </summary>
    /// <remarks>The role that installs them may call them; others once they are named.</remarks>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Completes when the fence is installed.</returns>
    /// <exception cref="NpgsqlException">
    /// The database refused or does not respond; it refuses where another role owns the schema, or other objects have the names of the
    /// fence's.
    /// </exception>
    public Task InstallAsync(CancellationToken cancellationToken = default) => InstallAsync([], cancellationToken);

    /// <summary>As <see cref="InstallAsync(CancellationToken)"/>, and lets other roles call the fence.</summary>
    /// <param name="callers">The names of the roles. A role that may call the fence can close it by a token that was never granted.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Completes when the fence is installed.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="callers"/> is null.</exception>
    /// <exception cref="NpgsqlException">As without callers, and where there is no such role.</exception>
    public async Task InstallAsync(IEnumerable<string> callers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(callers);
        using var alone = Alone();
        await using var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        // Two that install at once would both find nothing there.
        await ExecuteAsync(connection, "select pg_advisory_xact_lock(hashtext('lease-fence'))", cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, Script, cancellationToken).ConfigureAwait(false);
        using var names = new NpgsqlCommandBuilder();
        foreach (var caller in callers)
        {
            var grant =
                $"grant execute on function lease_fence(text, bigint), lease_fence_raise(text, bigint) to {names.QuoteIdentifier(caller)}";
            await ExecuteAsync(connection, grant, cancellationToken).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Has the fence take tokens up to this restore epoch, once a backup of the lease service was restored. A new fence takes those of
    /// epoch 0; a greater one is refused, since it would close a resource for ever.
    /// </summary>
    /// <remarks>
    /// For the role that installed the fence. Tokens of before the restore that were not yet overtaken keep passing. A lower epoch than now
    /// takes an epoch back that was accepted by mistake.
    /// </remarks>
    /// <param name="epoch">The epoch, as <c>leases epoch show</c> prints it: 0 to 8,191.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Completes when it is accepted.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epoch"/> is negative, or over 8,191.</exception>
    /// <exception cref="NpgsqlException">The database refused, such as a role that does not own the fence, or does not respond.</exception>
    public async Task AcceptEpochAsync(int epoch, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(epoch, Tokens.MaxEpoch);
        using var alone = Alone();
        await using var command = _database.CreateCommand("select lease_fence_accept_epoch($1)");
        command.Parameters.Add(new() { Value = epoch });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a block in one transaction, which passes the fence first and is committed at the end.</summary>
    /// <param name="resource">The resource, as it is leased.</param>
    /// <param name="token">The token of the grant.</param>
    /// <param name="work">
    /// Writes by the connection it receives; all of its commands are in the transaction. An exception rolls everything back.
    /// </param>
    /// <param name="cancellationToken">Gives up, and rolls back unless the commit is under way.</param>
    /// <returns>Completes when it is committed.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="token"/> is below 1, or over 2^53-1.</exception>
    /// <exception cref="InvalidOperationException">
    /// There is an ambient transaction, which its own cannot be part of. Nothing was done.
    /// </exception>
    /// <exception cref="StaleTokenException">A greater token has been seen. Nothing was written.</exception>
    /// <exception cref="UnknownEpochException">The token is of a later restore epoch than the fence takes. Nothing was written.</exception>
    /// <exception cref="NpgsqlException">
    /// The database refused or does not respond; the server also ends a block that was idle for too long.
    /// </exception>
    public async Task RunAsync(
        string resource, long token, Func<NpgsqlConnection, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        Check(resource, token);
        ArgumentNullException.ThrowIfNull(work);
        if (Transaction.Current is not null && new NpgsqlConnectionStringBuilder(_database.ConnectionString).Enlist)
        {
            throw new InvalidOperationException(
                "LeaseFence.RunAsync commits a transaction of its own, and there is an ambient one (TransactionScope). "
                    + "Open a connection in "
                + "that and call LeaseFence.PassAsync with it before its first write, or call RunAsync outside of the scope.");
        }

        work = CallerContext.Bind(work);
        await using var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(
            connection, $"set local idle_in_transaction_session_timeout = {_pauseLimit}", cancellationToken).ConfigureAwait(false);
        await PassAsync(connection, resource, token, cancellationToken).ConfigureAwait(false);
        await work(connection, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Passes the fence and blocks every greater token, for work that no transaction of this database covers: on a file, a device,
    /// another service.
    /// </summary>
    /// <remarks>
    /// See <see cref="FenceHold"/> for its guarantees and when it ends. It uses one connection until it is disposed of. With
    /// <c>Keepalive</c> in the connection string the server does not end the hold of a running process at its limit.
    /// </remarks>
    /// <param name="resource">The resource, as it is leased.</param>
    /// <param name="token">The token of the grant.</param>
    /// <param name="options">The limits; the defaults where left out.</param>
    /// <param name="cancellationToken">Ends the call. The token may then count as seen.</param>
    /// <returns>
    /// The hold, once the token is durably the greatest seen, and all holds of lower tokens have ended. Dispose it when the work is done.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="resource"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// <paramref name="token"/> is below 1 or over 2^53-1, or an option is out of bounds.
    /// </exception>
    /// <exception cref="StaleTokenException">A greater token has been seen.</exception>
    /// <exception cref="UnknownEpochException">The token is of a later restore epoch than the fence takes.</exception>
    /// <exception cref="TimeoutException">
    /// A hold of a lower token lasted for longer than <see cref="FenceHoldOptions.LockTimeout"/>.
    /// </exception>
    /// <exception cref="NpgsqlException">The database refused or does not respond. The token may then count as seen.</exception>
    public async Task<FenceHold> HoldAsync(
        string resource, long token, FenceHoldOptions? options = null, CancellationToken cancellationToken = default)
    {
        Check(resource, token);
        options ??= new();
        options.Validate();
        using var alone = Alone();
        var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // By itself, and committed with it: what is done under the hold may be seen by the world before any transaction ends.
            // Decision raise-then-hold.
            await CallAsync(
                connection, "select lease_fence_raise($1, $2)", resource, token, options, cancellationToken).ConfigureAwait(false);

            // Counted from before it is sent: the server's own limit begins later, and ends later.
            var started = _time.GetTimestamp();
            await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            await CallAsync(connection, Pass, resource, token, options, cancellationToken).ConfigureAwait(false);
            return new FenceHold(resource, token, connection, options.MaxDuration - _time.GetElapsedTime(started), _time);
        }
        catch (Exception e)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            if (e is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
                throw new TimeoutException(
                    $"Others were inside of '{resource}' under lower tokens than {token} for longer than {options.LockTimeout}. Try again.",
                    e);
            throw;
        }
    }

    /// <summary>Passes the fence in the caller's transaction, before its first write.</summary>
    /// <param name="connection">A connection with a transaction. Without one the fence protects nothing after the call.</param>
    /// <param name="resource">The resource, as it is leased.</param>
    /// <param name="token">The token of the grant.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Completes when the transaction has passed. Greater tokens wait until it has ended.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="token"/> is below 1, or over 2^53-1.</exception>
    /// <exception cref="StaleTokenException">A greater token has been seen. The transaction can only be rolled back.</exception>
    /// <exception cref="UnknownEpochException">
    /// The token is of a later restore epoch than the fence takes. The transaction can only be rolled back.
    /// </exception>
    /// <exception cref="NpgsqlException">The database refused or does not respond.</exception>
    public static async Task PassAsync(
        NpgsqlConnection connection, string resource, long token, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Check(resource, token);
        await CallAsync(connection, Pass, resource, token, null, cancellationToken).ConfigureAwait(false);
    }

    private static void Check(string resource, long token)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentOutOfRangeException.ThrowIfLessThan(token, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(token, Tokens.Max);
    }

    // What is done here is no part of an ambient transaction, which would be rolled back as a whole, or wait for it.
    private static TransactionScope Alone() => new(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);

    private static async Task CallAsync(
        NpgsqlConnection connection, string function, string resource, long token, FenceHoldOptions? limits,
        CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(connection);
        await using var disposesBatch = batch.ConfigureAwait(false);
        limits?.Apply(batch);
        batch.BatchCommands.Add(new(function) { Parameters = { new() { Value = resource }, new() { Value = token } } });
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException refused) when (refused.SqlState == Stale)
        {
            throw new StaleTokenException(resource, token, refused);
        }
        catch (PostgresException refused) when (refused.SqlState == UnknownEpoch)
        {
            throw new UnknownEpochException(resource, token, refused);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // Statements of this file, with a number at most.
        var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await using var disposesCommand = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string Milliseconds(TimeSpan pauseLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pauseLimit, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pauseLimit, TimeSpan.FromMilliseconds(int.MaxValue));
        return ((int)pauseLimit.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
    }
}
