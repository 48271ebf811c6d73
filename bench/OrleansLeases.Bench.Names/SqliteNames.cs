using Microsoft.Data.Sqlite;
using OrleansLeases.Embedded;

namespace OrleansLeases.Bench.Names;

/// <summary>One process on SQLite.</summary>
internal sealed class SqliteNames : INamesStore
{
    private readonly DirectoryInfo _folder;
    private readonly EmbeddedLeases _leases;

    private SqliteNames(DirectoryInfo folder, EmbeddedLeases leases) => (_folder, _leases) = (folder, leases);

    public ILeaseService Leases => _leases;

    public static async Task<SqliteNames> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("leases-names-");
        return new(folder, await EmbeddedLeases.OpenAsync(folder.FullName, new EmbeddedLeaseOptions
        {
            Retain = INamesStore.Retain, RetainByPrefix = new Dictionary<string, TimeSpan> { ["kept/"] = TimeSpan.Zero },
        }));
    }

    public async Task<long> CountAsync() => await ReadAsync("SELECT count(*) FROM lease");

    // It gives back by itself.
    public Task CompactAsync() => Task.CompletedTask;

    public async Task<long> SizeAsync() => await ReadAsync("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()");

    public async ValueTask DisposeAsync()
    {
        await _leases.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<long> ReadAsync(string sql)
    {
        var file = Path.Combine(_folder.FullName, "leases.db");
        await using var connection = new SqliteConnection($"Data Source={file};Mode=ReadOnly;Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
