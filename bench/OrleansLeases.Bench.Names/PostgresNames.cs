using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Hosting;
using OrleansLeases.Grains;
using OrleansLeases.Testing;

namespace OrleansLeases.Bench.Names;

/// <summary>One silo on a private PostgreSQL that syncs its commits.</summary>
internal sealed class PostgresNames : INamesStore
{
    private readonly PostgresServer _server;
    private readonly IHost _host;
    private readonly NpgsqlDataSource _database;

    private PostgresNames(PostgresServer server, IHost host) =>
        (_server, _host, _database) = (server, host, NpgsqlDataSource.Create(server.ConnectionString));

    public ILeaseService Leases => _host.Services.GetRequiredService<ILeaseService>();

    public static async Task<PostgresNames> StartAsync()
    {
        var server = await PostgresServer.StartAsync();
        await LeaseSchema.MigrateAsync(server.ConnectionString);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.UseOrleans(silo => silo.UseLocalhostClustering().AddLeases(server.ConnectionString, options =>
        {
            options.Retain = INamesStore.Retain;
            options.RetainByPrefix["kept/"] = TimeSpan.Zero;
        }));
        var host = builder.Build();
        await host.StartAsync();
        return new(server, host);
    }

    public async Task<long> CountAsync() => await ReadAsync("select count(*) from lease_record");

    public Task CompactAsync() => ExecuteAsync("reindex table lease_record; reindex table lease_log");

    public async Task<long> SizeAsync()
    {
        await ExecuteAsync("vacuum lease_record, lease_log, lease_floor");
        return await ReadAsync(
            "select sum(pg_total_relation_size(name))::bigint from unnest(array['lease_record', 'lease_log', 'lease_floor']) name");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        await _database.DisposeAsync();
        await _server.DisposeAsync();
    }

    private async Task<long> ReadAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync();
    }
}
