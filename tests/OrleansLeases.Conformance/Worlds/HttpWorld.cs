using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Client;
using OrleansLeases.Gateway;

namespace OrleansLeases.Conformance.Worlds;

/// <summary>The HTTP client, a real server on loopback and the gateway, over another world, whose clock it shares.</summary>
/// <typeparam name="TBehind">The world behind the gateway.</typeparam>
public abstract class HttpWorld<TBehind> : LeaseWorld
    where TBehind : LeaseWorld, new()
{
    private static readonly AccessRights Everything = new(
        "anybody", [new() { Prefix = "", Rights = (LeaseRights)31, Owners = ["*"] }]);

    private static readonly LeaseCaller Anybody = new("anybody", () => Everything);

    private readonly TBehind _behind = new();
    private readonly HttpClient _http = new();
    private readonly ConcurrentDictionary<string, LeaseCaller> _callers = new();
    private readonly ConcurrentBag<HttpClient> _ofCallers = [];
    private WebApplication? _server;

    public override string Engine => _behind.Engine;

    public override bool Durable => _behind.Durable;

    public override async Task<ILeaseService> StartAsync(LeaseLimits limits)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(await _behind.StartAsync(limits)).AddLeaseGateway(gateway => gateway.Authenticate = CallerOf);
        _server = builder.Build();
        _server.MapLeases();
        await _server.StartAsync();
        return await ConnectAsync(_http, new Uri(_server.Urls.Single()));
    }

    /// <summary>Makes the client that the suites call.</summary>
    protected virtual Task<HttpLeaseService> ConnectAsync(HttpClient http, Uri server)
    {
        http.BaseAddress = server;
        return Task.FromResult(new HttpLeaseService(http));
    }

    public override ILeaseService For(ILeaseService service, LeaseCaller caller)
    {
        _callers[caller.Principal] = caller;
        var http = new HttpClient { BaseAddress = new Uri(_server!.Urls.Single()) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", caller.Principal);
        _ofCallers.Add(http);
        return new HttpLeaseService(http);
    }

    public override Task PassAsync(TimeSpan time) => _behind.PassAsync(time);

    public override async ValueTask DisposeAsync()
    {
        // Calls that still wait in the queue end with their connections; a server waits for them otherwise.
        _http.Dispose();
        foreach (var http in _ofCallers) http.Dispose();
        if (_server is not null) await _server.DisposeAsync();
        await _behind.DisposeAsync();
    }

    // All other suites call as somebody too, who may do everything.
    private ValueTask<LeaseResult<LeaseCaller>> CallerOf(HttpContext context) =>
        new(context.Request.Headers.Authorization is [{ } given] ? _callers[given["Bearer ".Length..]] : Anybody);
}

/// <summary>Over HTTP, in memory; with a second address, which comes first, and where nobody is.</summary>
public sealed class HttpMemoryWorld : HttpWorld<MemoryWorld>
{
    protected override async Task<HttpLeaseService> ConnectAsync(HttpClient http, Uri server)
    {
        var service = new HttpLeaseService(http, [new("http://127.0.0.1:1"), server]);
        // From now on it is left alone: the time it takes to find that out is told as held, which the suites look at.
        Assert.Null((await service.InfoAsync()).Refusal);
        return service;
    }
}

/// <summary>Over HTTP, on SQLite.</summary>
public sealed class HttpSqliteWorld : HttpWorld<SqliteWorld>;
