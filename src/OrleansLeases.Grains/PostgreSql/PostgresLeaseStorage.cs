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

/// <summary>Records on PostgreSQL: grains go through Orleans' ADO.NET provider, listings and sweeps ask the same table.</summary>
internal sealed partial class PostgresLeaseStorage : ILeaseStorage, IAsyncDisposable
{
    /// <summary>The name of the provider that lease grains have to themselves.</summary>
    public const string ProviderName = "OrleansLeases";

    private const int PageSize = 500;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lazy<IGrainStorage> _grains;
    private readonly NpgsqlDataSource _database;
    private readonly TimeProvider _time;
    private readonly ILogger<PostgresLeaseStorage> _logger;
    private readonly TimeSpan _allowedSkew;
    private readonly string _serviceId;
    private Task _watch = Task.CompletedTask;
    private volatile string? _trouble;

    public PostgresLeaseStorage(
        IServiceProvider services, LeaseConnectionString connection, IOptions<LeaseSiloOptions> options, IOptions<ClusterOptions> cluster, TimeProvider time, ILogger<PostgresLeaseStorage> logger)
    {
        _grains = new(() => services.GetRequiredKeyedService<IGrainStorage>(ProviderName));
        _database = NpgsqlDataSource.Create(connection.Value);
        _allowedSkew = options.Value.ClockSkew;
        _serviceId = cluster.Value.ServiceId;
        _time = time;
        _logger = logger;
    }

    public bool Durable => true;

    public int Epoch { get; private set; }

    public string? Trouble => _trouble;

    public IGrainStorage Grains => _grains.Value;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Epoch = await LeaseSchema.CheckAsync(_database, cancellationToken);
        await LookAsync(cancellationToken);
        _watch = Task.Run(WatchAsync, CancellationToken.None);
    }

    // What the server refuses is rolled back whole. Not so what ends a connection (classes 08 and 57) or fails inside the server.
    public bool SurelyNotWritten(Exception error) =>
        error is PostgresException { SqlState: [var first, var second, ..] } && $"{first}{second}" is "22" or "23" or "25" or "40" or "42" or "53" or "54" or "P0";

    public async IAsyncEnumerable<(string Resource, LeaseState State)> ReadFromAsync(
        string from, LeaseFilter state, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // In portions, so that a page that ends early has not read much more than it needs.
        string? after = null;
        var more = true;
        while (more)
        {
            await using var command = _database.CreateCommand(
                $"""
                select name, payload from lease_record
                where service_id = $1 and kind = $2 and name {(after is null ? ">=" : ">")} $3{(state == LeaseFilter.Held ? " and held" : "")}
                order by name limit {PageSize}
                """);
            command.Parameters.Add(new() { Value = _serviceId });
            command.Parameters.Add(new() { Value = LeaseRecord.StateName });
            command.Parameters.Add(new() { Value = after ?? from });
            var read = new List<(string Name, string Payload)>(PageSize);
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
                while (await reader.ReadAsync(cancellationToken)) read.Add((reader.GetString(0), reader.GetString(1)));

            foreach (var (name, payload) in read) yield return (after = name, LeaseCodec.Decode(Encoding.UTF8.GetBytes(payload)));
            more = read.Count == PageSize;
        }
    }

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
        await _database.DisposeAsync();
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(LookEvery, _time, _stop.Token);
                await LookAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Nothing can be claimed through a database that does not answer, so the last verdict may stand.
                LogNotAnswered(_logger, error);
            }
        }
    }

    // An inherited horizon is another clock's, and is waited out with the allowed skew. Each of the two clocks may use half of it.
    private async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand("select extract(epoch from clock_timestamp())::double precision, epoch from lease_meta");
        var sent = _time.GetUtcNow();
        var start = _time.GetTimestamp();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var took = _time.GetElapsedTime(start);
        var theirs = DateTimeOffset.UnixEpoch.AddSeconds(reader.GetDouble(0));
        var off = (theirs - (sent + (took / 2))).Duration() - (took / 2);
        var epoch = reader.GetInt32(1);
        var trouble =
            epoch != Epoch ? $"The database's restore epoch is {epoch}, this silo started under {Epoch}; restart the silo."
            : off > _allowedSkew / 2 ? $"This silo's clock is {off.TotalSeconds:F1} s off the database's; {(_allowedSkew / 2).TotalSeconds:F1} s are allowed (half of ClockSkew). Synchronize the clocks."
            : null;
        if (trouble != _trouble && trouble is not null) LogTrouble(_logger, trouble);
        _trouble = trouble;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "No leases are claimed: {Trouble}")]
    private static partial void LogTrouble(ILogger logger, string trouble);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database could not be asked for its clock.")]
    private static partial void LogNotAnswered(ILogger logger, Exception error);
}
