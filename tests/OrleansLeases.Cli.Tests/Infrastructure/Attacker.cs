using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>
/// Somebody's web server, on whose pages a browser comes; with a name that leads there at first, and later to another server.
/// </summary>
internal sealed class Attacker : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, string> _pages = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<Dictionary<string, string>>> _reports = new();

    private Attacker(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public static async Task<Attacker> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var attacker = new Attacker(builder.Build());
        attacker._app.Run(attacker.AnswerAsync);
        await attacker._app.StartAsync();
        return attacker;
    }

    /// <summary>Has a page, whose script tries what it may and reports it to <c>/report/</c> and its name.</summary>
    public void Put(string page, string html) => (_pages[page], _reports[page]) = (html, new());

    /// <summary>What came of each attempt of a page, once its script has ended.</summary>
    public Task<Dictionary<string, string>> ReportOfAsync(string page) =>
        _reports[page].Task.WaitAsync(Eventually.Limit, TimeProvider.System);

    /// <summary>What is done when a page asks for it by <c>/rebind</c>.</summary>
    public Action Rebind { get; set; } = () => { };

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path == "/rebind") Rebind();
        else if (path.StartsWith("/report/", StringComparison.Ordinal))
        {
            var report = await JsonSerializer.DeserializeAsync<Dictionary<string, string>>(context.Request.Body);
            _reports[path["/report/".Length..]].TrySetResult(report!);
        }
        else if (_pages.TryGetValue(path[1..], out var html)) await Results.Content(html, "text/html").ExecuteAsync(context);
    }
}
