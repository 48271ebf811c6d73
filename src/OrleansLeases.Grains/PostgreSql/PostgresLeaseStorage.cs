using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Configuration;
using Orleans.Storage;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Records on PostgreSQL: grains go through Orleans' ADO.NET provider, or a data source of the application's; listings and
/// sweeps ask the same table.
/// </summary>
internal sealed partial class PostgresLeaseStorage : ILeaseStorage, IAsyncDisposable
{
    /// <summary>The name of the provider that lease grains and key grains have to themselves.</summary>
    public const string ProviderName = "OrleansLeases";

    private const int PageSize = 500;

    // Of keys fewer: each may have 64 KiB.
    private const int KeyPageSize = 50;
    private const int LooksAtStart = 5;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookWhileAwayEvery = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<IGrainStorage> _grains;
    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _time;
    private readonly LeaseClock _clock;
    private readonly ILogger<PostgresLeaseStorage> _logger;
    private readonly ClockVerdict _verdict;
    private readonly string _serviceId;
    private Task _watch = Task.CompletedTask;
    private volatile string? _trouble;
    private volatile string? _away;
    private volatile string? _blind;

    public PostgresLeaseStorage(
        IServiceProvider services, LeaseDatabase database, IOptions<LeaseSiloOptions> options, IOptions<ClusterOptions> cluster,
        TimeProvider time, LeaseClock clock, ILogger<PostgresLeaseStorage> logger)
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

    public bool Durable => true;

    public int Epoch { get; private set; }

    public string? Trouble => _trouble;

    public string? Away => _away;

    public string? Blind => _blind;

    public IGrainStorage Grains => _grains.Value;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Epoch = await LeaseSchema.CheckAsync(_database, cancellationToken);
        for (var look = 1; !await LookAsync(cancellationToken); look++)
            if (look == LooksAtStart) throw new InvalidOperationException("The database answers too slowly to compare clocks with it; half of ClockSkew has to be as long as a query takes.");
        if (_trouble is { } trouble) throw new InvalidOperationException(trouble);
        _watch = Background.Run(WatchAsync);
    }

    // A statement that the server refuses is rolled back whole. Not so where it ended the session or itself (FATAL, PANIC):
    // that may be after the commit. 40003 and 25P04 say that the outcome is open; classes 08 and 57 are about the connection.
    public bool SurelyNotWritten(Exception error) => IsNotConnected(error)
        || (error is PostgresException { InvariantSeverity: "ERROR", SqlState: { Length: 5 } state }
            && state is not ("40003" or "25P04") && state[..2] is ("22" or "23" or "25" or "40" or "42" or "53" or "54" or "P0"));

    public IAsyncEnumerable<(string Resource, LeaseState State)> ReadFromAsync(string from, LeaseFilter state, CancellationToken cancellationToken) =>
        ReadAsync(LeaseRecord.StateName, from, state == LeaseFilter.Held, PageSize, RecordCodec.Lease.Decode, cancellationToken);

    public IAsyncEnumerable<(string Key, KeyState State)> ReadKeysFromAsync(string from, CancellationToken cancellationToken) =>
        ReadAsync(KeyRecord.StateName, from, held: true, KeyPageSize, RecordCodec.Key.Decode, cancellationToken);

    public async Task<IReadOnlyList<DueRecord>> DueAfterAsync(int shard, int shards, DueRecord? last, TimeSpan until, int limit)
    {
        await using var command = _database.CreateCommand(
            """
            select name, due from lease_record
            where service_id = $1 and kind = $2 and due is not null and (due, name) > ($3, $4) and due <= $5
              and (hashtext(name) & 2147483647) % $6 = $7
            order by due, name limit $8
            """);
        command.Parameters.Add(new() { Value = _serviceId });
        command.Parameters.Add(new() { Value = LeaseRecord.StateName });
        command.Parameters.Add(new() { Value = last is null ? long.MinValue : last.Due.Ticks / TimeSpan.TicksPerMillisecond });
        command.Parameters.Add(new() { Value = last?.Resource ?? "" });
        command.Parameters.Add(new() { Value = until.Ticks / TimeSpan.TicksPerMillisecond });
        command.Parameters.Add(new() { Value = shards });
        command.Parameters.Add(new() { Value = shard });
        command.Parameters.Add(new() { Value = limit });
        var due = new List<DueRecord>();
        await using var reader = await command.ExecuteReaderAsync(_stop.Token);
        while (await reader.ReadAsync(_stop.Token)) due.Add(new(reader.GetString(0), TimeSpan.FromMilliseconds(reader.GetInt64(1))));
        return due;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watch;
        _stop.Dispose();
    }

    // Nothing was sent. The server says so before a session begins: no connection is left, it starts up or shuts down, the user or
    // the database is none of its. Npgsql says it where it reaches no server, or its pool has no connection to spare.
    private static bool IsNotConnected(Exception error) => error switch
    {
        PostgresException { InvariantSeverity: "FATAL", SqlState: { Length: 5 } state } => state is "53300" or "57P03" or "3D000" || state[..2] == "28",
        NpgsqlException => error.Message.StartsWith("Failed to connect to ", StringComparison.Ordinal)
            || error.Message.StartsWith("The connection pool has been exhausted", StringComparison.Ordinal)
            || IsNameNotFound(error.InnerException),
        _ => IsNameNotFound(error),
    };

    private static bool IsNameNotFound(Exception? error) => error is SocketException { StackTrace: { } trace } && trace.Contains("System.Net.Dns.", StringComparison.Ordinal);

    private async IAsyncEnumerable<(string Name, T State)> ReadAsync<T>(
        string kind, string from, bool held, int portion, Func<ReadOnlySpan<byte>, T> decode, [EnumeratorCancellation] CancellationToken cancellationToken)
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
            command.Parameters.Add(new() { Value = kind });
            command.Parameters.Add(new() { Value = after ?? from });
            var read = new List<(string Name, string Payload)>(portion);
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
                while (await reader.ReadAsync(cancellationToken)) read.Add((reader.GetString(0), reader.GetString(1)));

            foreach (var (name, payload) in read)
            {
                after = name;
                if (TryDecode(kind, name, payload, decode, out var state)) yield return (name, state);
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
        await using var command = _database.CreateCommand("select extract(epoch from clock_timestamp())::double precision, epoch, current_setting('transaction_read_only') from lease_meta");
        var sent = _clock.ReadRaw();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        if (reader.GetString(2) == "on") throw new InvalidOperationException("The database is read-only: a standby, or one whose default_transaction_read_only is on.");
        var answered = _clock.ReadRaw();
        var missed = _verdict.Missed;
        var right = _verdict.Take(ClockComparison.Of(TimeSpan.FromSeconds(reader.GetDouble(0)), sent.Wall, answered.Monotonic - sent.Monotonic), answered.Monotonic);
        if (_verdict.Missed != missed) LogMissed(right is null);
        var epoch = reader.GetInt32(1);
        var trouble = epoch != Epoch ? $"The database's restore epoch is {epoch}, this silo started under {Epoch}; restart the silo." : _verdict.Off;
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

    [LoggerMessage(7401, LogLevel.Error, "The database cannot be used, and calls that need it are refused: {Reason} See whether PostgreSQL runs, can be reached, has a connection left and takes writes.")]
    private static partial void LogAway(ILogger logger, string reason);

    [LoggerMessage(7404, LogLevel.Warning, "The database answered too slowly to compare clocks with it. If that lasts for {Seconds} s, no leases are claimed.")]
    private static partial void LogMissedLook(ILogger logger, int seconds);

    [LoggerMessage(7405, LogLevel.Warning, "The database answers fast enough again to compare clocks with it.")]
    private static partial void LogSeen(ILogger logger);

    [LoggerMessage(7402, LogLevel.Warning, "The database can be used again.")]
    private static partial void LogBack(ILogger logger);
}
