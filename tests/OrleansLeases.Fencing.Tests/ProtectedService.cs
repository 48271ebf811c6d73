using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Fencing.AspNetCore;
using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.Tests;

/// <summary>A service on a real web server with the fence before its endpoints. What its endpoint does, a test says.</summary>
internal sealed class ProtectedService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ProtectedService(WebApplication app, HttpClient client) => (_app, Client) = (app, client);

    public HttpClient Client { get; }

    /// <summary>The tokens under which the endpoint was run, in that order.</summary>
    public ConcurrentQueue<long> Ran { get; } = [];

    /// <summary>What the endpoint does.</summary>
    public Func<FencedRequest, CancellationToken, Task> Work { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Starts it: where there are services, which check proofs, no token is taken without one.</summary>
    public static async Task<ProtectedService> StartAsync(
        string database, FenceHoldOptions? options = null, TimeProvider? time = null, Action<WebApplication>? map = null,
        Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        if (time is not null) builder.Services.AddSingleton(time);
        builder.Services.AddLeaseFence(database, new() { Hold = options ?? new(), RequireProof = services is not null });
        services?.Invoke(builder.Services);
        var app = builder.Build();
        map?.Invoke(app);
        ProtectedService? service = null;
        app.MapPut("/orders/{id}", (FencedRequest fenced, CancellationToken stop) => service!.RunAsync(fenced, stop))
            .RequireLease("orders/{id}");
        await app.StartAsync();
        return service = new(app, new HttpClient { BaseAddress = new Uri(app.Urls.Single()) });
    }

    /// <summary>Calls the endpoint with these headers.</summary>
    public async Task<(HttpStatusCode Status, JsonObject? Problem)> PutAsync(params string[] tokens)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/orders/42");
        foreach (var token in tokens) request.Headers.TryAddWithoutValidation("Fencing-Token", token);
        return await SendAsync(request);
    }

    public Task<(HttpStatusCode Status, JsonObject? Problem)> PutAsync(long token) => PutAsync($"{token}");

    public async Task<(HttpStatusCode Status, JsonObject? Problem)> SendAsync(HttpRequestMessage request)
    {
        using var response = await Client.SendAsync(request);
        var isProblem = response.Content.Headers.ContentType?.MediaType == "application/problem+json";
        var problem = isProblem ? JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject() : null;
        if (problem is not null)
        {
            Assert.Equal((int)response.StatusCode, (int)problem["status"]!);
            // To repeat what may have taken effect is not for a client library's retries.
            var isSafe = (string)problem["type"]! == "urn:orleans-leases:unavailable";
            Assert.Equal(isSafe ? TimeSpan.FromSeconds(1) : null, response.Headers.RetryAfter?.Delta);
        }

        return (response.StatusCode, problem);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private async Task RunAsync(FencedRequest fenced, CancellationToken stop)
    {
        Assert.Equal("orders/42", fenced.Resource);
        Ran.Enqueue(fenced.Token);
        await Work(fenced, stop);
    }
}
