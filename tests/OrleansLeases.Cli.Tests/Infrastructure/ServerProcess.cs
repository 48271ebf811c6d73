namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary><c>leases serve</c> on a port of its own.</summary>
public sealed class ServerProcess : IAsyncLifetime, IAsyncDisposable
{
    private Tool? _tool;

    public string Address { get; private set; } = "";

    internal Tool Tool => _tool!;

    internal static async Task<ServerProcess> StartAsync(params string[] arguments)
    {
        var server = new ServerProcess();
        await server.ListenAsync(all => Tool.Start(null, all), arguments);
        return server;
    }

    /// <summary>Starts it with environment variables.</summary>
    internal static async Task<ServerProcess> StartWithAsync((string Name, string Value)[] environment, params string[] arguments)
    {
        var server = new ServerProcess();
        await server.ListenAsync(all => Tool.StartWith(environment, all), arguments);
        return server;
    }

    public Task InitializeAsync() => ListenAsync(all => Tool.Start(null, all), "--memory");

    public ValueTask DisposeAsync() => _tool!.DisposeAsync();

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    private async Task ListenAsync(Func<string[], Tool> start, params string[] arguments)
    {
        const string Listening = "Listening on ";
        _tool = start(
            ["serve", .. arguments, .. arguments.Contains("--urls") ? Array.Empty<string>() : ["--urls", "http://127.0.0.1:0"]]);
        await Eventually.TrueAsync(
            () => _tool.Out.StartsWith(Listening, StringComparison.Ordinal) && _tool.Out.Contains("stops it", StringComparison.Ordinal)
                || _tool.HasExited,
            () => $"The server never listened: {_tool.Out}{_tool.Error}");
        Assert.False(_tool.HasExited, _tool.Error);
        Address = _tool.Out[Listening.Length.._tool.Out.IndexOf('\n', StringComparison.Ordinal)];
    }
}
