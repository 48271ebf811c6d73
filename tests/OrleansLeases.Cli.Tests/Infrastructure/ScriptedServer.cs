using System.Net;
using System.Text;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>
/// An HTTP server that answers each request with the next line of its script, the last one for ever; with status 0 by an answer that
/// breaks off.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Queue<(int Status, string Body)> _script;
    private readonly List<string> _bodies = [];
    private readonly Task _serving;

    public ScriptedServer(params (int Status, string Body)[] script)
    {
        _script = new(script);
        var port = FreePort();
        Address = $"http://127.0.0.1:{port}";
        _listener.Prefixes.Add($"{Address}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address { get; }

    public IReadOnlyList<string> Bodies
    {
        get
        {
            lock (_bodies) return [.. _bodies];
        }
    }

    public static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext call;
            try
            {
                call = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var reader = new StreamReader(call.Request.InputStream);
            lock (_bodies) _bodies.Add(reader.ReadToEnd());
            var (status, body) = _script.Count > 1 ? _script.Dequeue() : _script.Peek();

            if (status == 0)
            {
                call.Response.Abort();
                continue;
            }

            // A grant must repeat the id it was asked with.
            var id = Bodies[^1].Split("\"requestId\":\"") is [_, var rest] ? rest[..rest.IndexOf('"', StringComparison.Ordinal)] : "";
            call.Response.StatusCode = status;
            call.Response.ContentType = status == 200 ? "application/json" : "application/problem+json";
            call.Response.Close(Encoding.UTF8.GetBytes(body.Replace("$ID", id, StringComparison.Ordinal)), willBlock: false);
        }
    }
}
