using Npgsql;
using OrleansLeases.Grains;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>Asks the tests' database.</summary>
internal static class Sql
{
    public static async Task<T> ScalarAsync<T>(string connectionString, string sql, params object[] parameters)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var command = database.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public static async Task ExecuteAsync(string connectionString, string sql, params object[] parameters)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var command = database.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(new() { Value = parameter });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A database of the test's own on the same server.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        var name = $"t{Guid.NewGuid():N}";
        var connection = await TestDatabase.ConnectionStringAsync();
        await ExecuteAsync(connection, $"create database {name}");
        return new NpgsqlConnectionStringBuilder(connection) { Database = name, Pooling = false }.ConnectionString;
    }
}
