using System.Data.Common;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Records on PostgreSQL: loads and saves go through Orleans' ADO.NET provider, or a data source of the application's; listings and
/// sweeps ask the same table.
/// </summary>
/// <remarks>
/// It asks the provider itself rather than have a grain ask through <c>IPersistentState</c>: that reads before the first call and
/// throws the provider's exceptions at the caller, and carries state along when a grain migrates. Every operation has a grain state
/// of its own, so that one that was given up and completes late changes nothing here. Decision grains-ask-their-storage.
/// </remarks>
internal sealed partial class PostgresRecordStore : IRecordStore, IAsyncDisposable
{
    /// <summary>The name of the provider that leases and keys have to themselves.</summary>
    public const string ProviderName = "OrleansLeases";

    // The names that their rows are stored under.
    private const string LeaseKind = "lease";
    private const string KeyKind = "key";
    private const int PageSize = 500;

    // Of keys fewer: each may have 64 KiB.
    private const int KeyPageSize = 50;
    private const int LooksAtStart = 5;

    // Npgsql has no code for these. The second and the third are of several hosts, the next two of a data source's own passwords.
    private static readonly string[] NoConnection =
    [
        "Failed to connect to ",
        "Unable to connect to a suitable host",
        "No suitable host was found",
        "An exception was thrown from the password provider",
        "An exception was thrown from the periodic password provider",
        "The connection pool has been exhausted",
    ];

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookWhileAwayEvery = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<IGrainStorage> _grains;
    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _time;
    private readonly LeaseClock _clock;
    private readonly ILogger<PostgresRecordStore> _logger;
    private readonly ClockVerdict _verdict;
    private readonly string _serviceId;
    private Task _watch = Task.CompletedTask;
    private volatile string? _trouble;
    private volatile string? _away;
    private volatile string? _blind;

    public PostgresRecordStore(
        IServiceProvider services, LeaseDatabase database, IOptions<LeaseSiloOptions> options, IOptions<ClusterOptions> cluster,
        TimeProvider time, LeaseClock clock, ILogger<PostgresRecordStore> logger)
    {
        _grains = new(() => services.GetRequiredKeyedService<IGrainStorage>(ProviderName));
        _database = database.Source;
        // An inherited horizon is another clock's, and is waited out with the allowed skew. Each of the two clocks may use half of it.
        _verdict = new(options.Value.ClockSkew / 2);
        _serviceId = cluster.Value.ServiceId;
        _time = time;
        _clock = clock;
        _logger = logger;
    }

    public bool IsDurable => true;

    public int Epoch { get; private set; }

    public StorageTrouble? Trouble =>
        _trouble is { } unfit ? new(StorageTroubleKind.Unfit, unfit)
        : _blind is { } blind ? new(StorageTroubleKind.Blind, blind)
        : _away is { } away ? new(StorageTroubleKind.Away, away)
        : null;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Epoch = await LeaseSchema.CheckAsync(_database, cancellationToken);
        for (var look = 1; !await LookAsync(cancellationToken); look++)
        {
            if (look == LooksAtStart) throw new InvalidOperationException(
                "The database answers too slowly to compare clocks with it; half of ClockSkew has to be as long as a query takes.");
        }

        if (_trouble is { } trouble) throw new InvalidOperationException(trouble);
        _watch = Background.Run(WatchAsync);
    }

    public async ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
    {
        var lines = new GrainState<RecordLines>(new RecordLines());
        await _grains.Value.ReadStateAsync(RowKindOf(kind), GrainOf(kind, name), lines);
        if (!lines.RecordExists) return StoredRecord.None(kind, name);
        var (epoch, record) = lines.State!.Read(kind, name);
        if (epoch != Epoch) throw new StoreUnreadableException(OtherEpoch(epoch));
        record.Tag = lines.ETag;
        return record;
    }

    public async ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        var lines = new GrainState<RecordLines>(RecordLines.Of(Epoch, previous, next))
        {
            ETag = previous.Tag, RecordExists = previous.Version > 0,
        };
        try
        {
            await _grains.Value.WriteStateAsync(RowKindOf(next.Kind), GrainOf(next.Kind, next.Name), lines);
        }
        catch (Exception error) when (error is InconsistentStateException or DbException { SqlState: "40001" or "40P01" })
        {
            // The latter two is how a database says it that makes more of isolation: of two at once, this one was undone.
            return SaveOutcome.Conflict;
        }
        catch (Exception error) when (SurelyNotWritten(error))
        {
            return SaveOutcome.NotSaved;
        }

        next.Tag = lines.ETag;
        return SaveOutcome.Saved;
    }

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        ReadAsync(kind, from, heldOnly, kind == RecordKind.Lease ? PageSize : KeyPageSize, cancellationToken);

    public async ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        await using var command = _database.CreateCommand(
            """
            select name, due from lease_record
            where service_id = $1 and kind = $2 and due is not null and (due, name) > ($3, $4) and due <= $5
              and (hashtext(name) & 2147483647) % $6 = $7
            order by due, name limit $8
            """);
        command.Parameters.Add(new() { Value = _serviceId });
        command.Parameters.Add(new() { Value = LeaseKind });
        command.Parameters.Add(new() { Value = query.After?.At ?? long.MinValue });
        command.Parameters.Add(new() { Value = query.After?.Name ?? "" });
        command.Parameters.Add(new() { Value = query.Until });
        command.Parameters.Add(new() { Value = query.Shards });
        command.Parameters.Add(new() { Value = query.Shard });
        command.Parameters.Add(new() { Value = query.Limit });
        var due = new List<DueRecord>();
        await using var reader = await command.ExecuteReaderAsync(either.Token);
        while (await reader.ReadAsync(either.Token)) due.Add(new(reader.GetString(0), reader.GetInt64(1)));
        return due;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watch;
        _stop.Dispose();
    }

    /// <summary>Whether a write that failed with this error certainly changed nothing.</summary>
    /// <param name="error">What the provider threw.</param>
    /// <returns>False where it may have been written, or may yet be.</returns>
    // A statement that the server refuses is rolled back whole. Not so where it ended the session or itself (FATAL, PANIC):
    // that may be after the commit. 40003 and 25P04 say that the outcome is open; classes 08 and 57 are about the connection.
    // Decision only-errors-are-certain.
    internal static bool SurelyNotWritten(Exception error) => IsNotConnected(error)
        || (error is PostgresException { InvariantSeverity: "ERROR", SqlState: { Length: 5 } state }
            && state is not ("40003" or "25P04") && state[..2] is ("22" or "23" or "25" or "40" or "42" or "53" or "54" or "P0"));

    private static string RowKindOf(RecordKind kind) => kind == RecordKind.Lease ? LeaseKind : KeyKind;

    private static GrainId GrainOf(RecordKind kind, string name) => kind == RecordKind.Lease
        ? GrainId.Create(LeaseKind, LeaseGrainKey.Of(name))
        : GrainId.Create(KeyKind, KeyGrainKey.Of(name));

    private string OtherEpoch(int epoch) =>
        $"The database's restore epoch is {epoch}, this silo started under {Epoch}; restart the silo.";

    // Nothing was sent. The server says so before a session begins: no connection is left, it starts up or shuts down, the user or
    // the database is none of its. Npgsql says it where it reaches no server, has no password, or has no connection to spare in its pool.
    private static bool IsNotConnected(Exception error) => error switch
    {
        PostgresException { InvariantSeverity: "FATAL", SqlState: { Length: 5 } state } =>
            state is "53300" or "57P03" or "3D000" || state[..2] == "28",
        NpgsqlException => Array.Exists(NoConnection, start => error.Message.StartsWith(start, StringComparison.Ordinal))
            || IsNameNotFound(error.InnerException),
        _ => IsNameNotFound(error),
    };

    private static bool IsNameNotFound(Exception? error) =>
        error is SocketException { StackTrace: { } trace } && trace.Contains("System.Net.Dns.", StringComparison.Ordinal);

    private async IAsyncEnumerable<StoredRecord> ReadAsync(
        RecordKind kind, string from, bool held, int portion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // In portions, so that a page that ends early has not read much more than it needs.
        string? after = null;
        var more = true;
        while (more)
        {
            await using var command = _database.CreateCommand(
                $"""
                select name, payload from lease_record
                where service_id = $1 and kind = $2 and name {(after is null ? ">=" : ">")} $3{(held ? " and held" : "")}
                order by name limit {portion}
                """);
            command.Parameters.Add(new() { Value = _serviceId });
            command.Parameters.Add(new() { Value = RowKindOf(kind) });
            command.Parameters.Add(new() { Value = after ?? from });
            var read = new List<(string Name, string Payload)>(portion);
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
                while (await reader.ReadAsync(cancellationToken)) read.Add((reader.GetString(0), reader.GetString(1)));

            foreach (var (name, payload) in read)
            {
                after = name;
                if (TryRead(kind, name, payload, out var record)) yield return record;
            }

            more = read.Count == portion;
        }
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(_away is null ? LookEvery : LookWhileAwayEvery, _time, _stop.Token);
                await LookTwiceAsync();
                if (_away is null) continue;
                _away = null;
                LogBack(_logger);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Nothing can be claimed through a database that does not answer, so the last verdict may stand.
                if (_away is null) LogAway(_logger, error.Message);
                _away = "The database does not answer, or takes no writes; the silo's log says why.";
            }
        }
    }

    // A connection of the pool may have been cut long ago; the next one is new then.
    private async Task LookTwiceAsync()
    {
        try
        {
            await LookAsync(_stop.Token);
        }
        catch (Exception) when (!_stop.IsCancellationRequested)
        {
            await LookAsync(_stop.Token);
        }
    }

    /// <summary>Looks at the database: whether it takes writes, under which epoch, and what its clock says.</summary>
    /// <returns>Whether the look told how far apart the clocks are.</returns>
    private async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand(
            "select extract(epoch from clock_timestamp())::double precision, epoch, "
                + "current_setting('transaction_read_only') from lease_meta");
        var sent = _clock.ReadRaw();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (reader.GetString(2) == "on")
        {
            throw new InvalidOperationException("The database is read-only: a standby, or one whose default_transaction_read_only is on.");
        }

        var answered = _clock.ReadRaw();
        var missed = _verdict.Missed;
        var right = _verdict.Take(
            ClockComparison.Of(TimeSpan.FromSeconds(reader.GetDouble(0)), sent.Wall, answered.Monotonic - sent.Monotonic),
            answered.Monotonic);
        if (_verdict.Missed != missed) LogMissed(right is null);
        var epoch = reader.GetInt32(1);
        var trouble = epoch != Epoch ? OtherEpoch(epoch) : _verdict.Off;
        if (right == true && trouble is null) _clock.Calibrate(sent);
        if (trouble != _trouble && trouble is not null) LogTrouble(_logger, trouble);
        if (_blind is null && _verdict.Blind is { } blind) LogTrouble(_logger, blind);
        (_trouble, _blind) = (trouble, _verdict.Blind);
        return right is not null;
    }

    private void LogMissed(bool begins)
    {
        if (begins) LogMissedLook(_logger, (int)ClockVerdict.Patience.TotalSeconds);
        else LogSeen(_logger);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "No leases are claimed: {Trouble}")]
    private static partial void LogTrouble(ILogger logger, string trouble);

    [LoggerMessage(
        7401, LogLevel.Error,
        "The database cannot be used, and calls that need it are refused: {Reason} See whether PostgreSQL runs, can be reached, has a "
            + "connection left and takes writes.")]
    private static partial void LogAway(ILogger logger, string reason);

    [LoggerMessage(
        7404, LogLevel.Warning,
        "The database answered too slowly to compare clocks with it. If that lasts for {Seconds} s, no leases are claimed.")]
    private static partial void LogMissedLook(ILogger logger, int seconds);

    [LoggerMessage(7405, LogLevel.Warning, "The database answers fast enough again to compare clocks with it.")]
    private static partial void LogSeen(ILogger logger);

    [LoggerMessage(7402, LogLevel.Warning, "The database can be used again.")]
    private static partial void LogBack(ILogger logger);
}
