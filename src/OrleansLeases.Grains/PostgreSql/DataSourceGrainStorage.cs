using System.Globalization;
using Npgsql;
using Orleans;
using Orleans.Storage;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// What Orleans' ADO.NET provider does for lease grains and key grains, on a data source, which that does not take: it calls the
/// same functions of the schema, so that silos of either kind share the records.
/// </summary>
internal sealed class DataSourceGrainStorage(NpgsqlDataSource database, string serviceId) : IGrainStorage
{
    private static readonly RecordLines.Serializer Serializer = new();

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await using var command = database.CreateCommand("select payloadbinary, version from readfromstorage($1, $2, $3)");
        command.Parameters.Add(new() { Value = serviceId });
        command.Parameters.Add(new() { Value = stateName });
        command.Parameters.Add(new() { Value = grainId.Key.ToString()! });
        await using var reader = await command.ExecuteReaderAsync();
        grainState.RecordExists = await reader.ReadAsync();
        if (!grainState.RecordExists) return;
        grainState.State = Serializer.Deserialize<T>(BinaryData.FromBytes(reader.GetFieldValue<byte[]>(0)))!;
        grainState.ETag = reader.GetInt32(1).ToString(CultureInfo.InvariantCulture);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        // The numbers are for grains whose keys are such; the schema has no use for them.
        await using var command = database.CreateCommand("select newgrainstateversion from writetostorage(0, 0, 0, 0, $1, $2, $3, $4, $5)");
        command.Parameters.Add(new() { Value = stateName });
        command.Parameters.Add(new() { Value = grainId.Key.ToString()! });
        command.Parameters.Add(new() { Value = serviceId });
        command.Parameters.Add(
            new NpgsqlParameter<int?> { TypedValue = grainState.ETag is { } etag ? int.Parse(etag, CultureInfo.InvariantCulture) : null });
        command.Parameters.Add(new() { Value = Serializer.Serialize(grainState.State).ToArray() });
        if (await command.ExecuteScalarAsync() is not int version)
            throw new InconsistentStateException($"'{grainId.Key}' has changed since it was read.");
        grainState.ETag = version.ToString(CultureInfo.InvariantCulture);
        grainState.RecordExists = true;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        throw new NotSupportedException("A cleared record would forget its token counter.");
}
