using System.Globalization;
using Npgsql;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Orleans.Storing;

// Connections that each rewrite rows of their own, version after version, as grains do.
internal abstract class WriterLoad(
    string row, int connections, string connectionString, StoredRecord record) : CallerLoad(row, connections), IAsyncDisposable
{
    protected const string Kind = "lease";
    protected const string ServiceId = "batching";

    // Of each connection; also the size of a batch.
    public const int Rows = 50;

    // As silos connect, each for the whole run.
    private readonly string _connectionString = new NpgsqlConnectionStringBuilder(connectionString)
    {
        MaxAutoPrepare = 20, NoResetOnClose = true, Pooling = false,
    }.ConnectionString;
    private readonly NpgsqlConnection[] _connections = new NpgsqlConnection[connections];
    private readonly int[][] _versions = [.. Enumerable.Range(0, connections).Select(_ => new int[Rows])];
    private readonly string[][] _names =
        [.. Enumerable.Range(0, connections).Select(
            connection =>
                Enumerable.Range(0, Rows).Select(i => string.Create(CultureInfo.InvariantCulture, $"r:{row}/{connection:D4}/{i:D4}"))
                    .ToArray())];

    protected StoredRecord Record => record;

    public override async Task PrepareAsync()
    {
        for (var i = 0; i < _connections.Length; i++)
        {
            _connections[i] = new NpgsqlConnection(_connectionString);
            await _connections[i].OpenAsync();
            for (var item = 0; item < Rows; item++)
            {
                await using var command = WriteOne(_connections[i], _names[i][item], null, record.Granted);
                _versions[i][item] = await command.ExecuteScalarAsync() is int version
                    ? version
                    : throw new BenchException($"{_names[i][item]} was not written.");
            }
        }
    }

    public override Task StepAsync(int caller) => WriteAsync(caller, _connections[caller], _names[caller], _versions[caller]);

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections.OfType<NpgsqlConnection>())
            await connection.DisposeAsync();
    }

    protected abstract Task WriteAsync(int caller, NpgsqlConnection connection, string[] names, int[] versions);

    // The provider's own statement, with the types it gives its parameters.
    protected static NpgsqlCommand WriteOne(NpgsqlConnection connection, string name, int? version, byte[] payload) =>
        new(
            "select * from writetostorage(@GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainTypeHash, @GrainTypeString, "
                + "@GrainIdExtensionString, @ServiceId, @GrainStateVersion, @PayloadBinary)", connection)
        {
            Parameters =
            {
                new NpgsqlParameter<int>("GrainIdHash", 0),
                new NpgsqlParameter<long>("GrainIdN0", 0L),
                new NpgsqlParameter<long>("GrainIdN1", 0L),
                new NpgsqlParameter<int>("GrainTypeHash", 0),
                new NpgsqlParameter<string>("GrainTypeString", Kind),
                new NpgsqlParameter<string>("GrainIdExtensionString", name),
                new NpgsqlParameter<string>("ServiceId", ServiceId),
                new NpgsqlParameter("GrainStateVersion", NpgsqlTypes.NpgsqlDbType.Integer) { Value = (object?)version ?? DBNull.Value },
                new NpgsqlParameter<byte[]>("PayloadBinary", payload),
            },
        };
}

// One row a transaction: what the stock provider does.
internal sealed class SingleWrites(int connections, string connectionString, StoredRecord record)
    : WriterLoad($"a row a transaction, {connections} connections", connections, connectionString, record)
{
    private readonly int[] _next = new int[connections];

    protected override async Task WriteAsync(int caller, NpgsqlConnection connection, string[] names, int[] versions)
    {
        var item = _next[caller];
        _next[caller] = (item + 1) % Rows;
        await using var command = WriteOne(connection, names[item], versions[item], Record.After(versions[item] + 1));
        if (await command.ExecuteScalarAsync() is not int version || version != versions[item] + 1)
            throw new BenchException($"{names[item]}, version {versions[item]}, was not written.");
        versions[item] = version;
    }
}

// Many rows in one statement and one transaction, each compared and swapped by itself.
internal sealed class BatchWrites(int connections, string connectionString, StoredRecord record)
    : WriterLoad($"{Rows} rows a transaction, {connections} connections", connections, connectionString, record)
{
    // The function that the stock provider calls, once for each row.
    private const string Sql =
        """
        select written.newgrainstateversion
        from unnest(@names, @versions, @payloads) as item (name, version, payload),
             lateral writetostorage(0, 0, 0, 0, @kind, item.name, @service, item.version, item.payload) written
        """;

    private readonly byte[][] _granted = [.. Enumerable.Repeat(record.Granted, Rows)];
    private readonly byte[][] _released = [.. Enumerable.Repeat(record.Released, Rows)];

    public override int OperationsPerStep => Rows;

    protected override async Task WriteAsync(int caller, NpgsqlConnection connection, string[] names, int[] versions)
    {
        await using var command = new NpgsqlCommand(Sql, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]>("names", names),
                new NpgsqlParameter<int[]>("versions", versions),
                new NpgsqlParameter<byte[][]>("payloads", versions[0] % 2 == 0 ? _released : _granted),
                new NpgsqlParameter<string>("kind", Kind),
                new NpgsqlParameter<string>("service", ServiceId),
            },
        };
        var written = 0;
        await using (var reader = await command.ExecuteReaderAsync())
        {
            // All rows of a connection have the same version: it writes all of them each time.
            for (; await reader.ReadAsync(); written++)
            {
                if (await reader.IsDBNullAsync(0) || reader.GetInt32(0) != versions[written] + 1)
                    throw new BenchException($"A row of a batch, version {versions[written]}, was not written.");
            }
        }

        if (written != Rows)
            throw new BenchException($"A batch of {Rows} rows wrote {written}.");
        for (var i = 0; i < Rows; i++)
            versions[i]++;
    }
}
