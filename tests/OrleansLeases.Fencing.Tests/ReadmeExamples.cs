using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OrleansLeases.Client;
using OrleansLeases.Embedded;
using OrleansLeases.Fencing.AspNetCore;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.Tests;

/// <summary>The examples of docs/fencing.md.</summary>
public sealed class ReadmeExamples : IAsyncLifetime
{
    private readonly EmbeddedLeases _engine = EmbeddedLeases.InMemory();
    private readonly List<string> _printed = [];
    private FencedDatabase _database = null!;
    private LeaseClient _leases = null!;

    public async Task InitializeAsync() => (_database, _leases) = (await FencedDatabase.MakeAsync(), new LeaseClient(_engine));

    public async Task DisposeAsync()
    {
        await _leases.DisposeAsync();
        await _engine.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Table_RefusesStaleWriters()
    {
        await _database.ExecuteAsync("create table orders (id int, state text); insert into orders values (42, 'new')");
        var dataSource = _database.Source;
        await using var lease = await _leases.AcquireAsync("orders/42");

        // README: A table that refuses stale writers
        var fence = new LeaseFence(dataSource);    // of Npgsql 10; InstallAsync once, or psql -f sql/lease-fence.sql
        await fence.InstallAsync();

        await fence.RunAsync("orders/42", lease.Token, async (connection, stop) =>
        {
            await using var command = new NpgsqlCommand("update orders set state = 'shipped' where id = 42", connection);
            await command.ExecuteNonQueryAsync(stop);
        });

        // README: end
        Assert.Equal("shipped", await _database.ExecuteAsync("select state from orders"));
        await Assert.ThrowsAsync<StaleTokenException>(() => fence.RunAsync("orders/42", lease.Token - 1, (_, _) => Task.CompletedTask));
    }

    [Fact]
    public async Task Service_RefusesStaleCallers()
    {
        await using var server = await LeaseServer.StartAsync();
        var (connectionString, leaseServer) = (_database.ConnectionString, server.Address);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();

        // README: A service that refuses stale callers
        builder.Services.AddLeaseFence(connectionString);
        builder.Services.AddLeaseProofs(leaseServer);    // such as new Uri("https://leases.example.org")
        var app = builder.Build();
        app.MapPut("/orders/{id}/label", (string id, FencedRequest fenced) => PrintLabelAsync(id, fenced.Token))
            .RequireLease("orders/{id}");

        // README: end
        await using var running = app;
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var (first, token) = await CallAsync(http, server.Leases);
        await using (await new LeaseFence(_database.Source).HoldAsync("orders/42", token + 10))
        {
        }

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Conflict), (first, (await CallAsync(http, server.Leases)).Status));
        Assert.Equal([$"42 {token}"], _printed);
    }

    private static async Task<(HttpStatusCode Status, long Token)> CallAsync(HttpClient http, LeaseClient leases)
    {
        // README: Its callers
        await using var lease = await leases.AcquireAsync("orders/42", new() { Proof = true });
        using var request = new HttpRequestMessage(HttpMethod.Put, "orders/42/label");
        request.Headers.SetFencingToken(lease);
        using var response = await http.SendAsync(request, lease.LostToken);

        // README: end
        return (response.StatusCode, lease.Token);
    }

    private Task PrintLabelAsync(string id, long token)
    {
        _printed.Add($"{id} {token}");
        return Task.CompletedTask;
    }
}
