using System.Net.Sockets;
using System.Text;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>Bytes to and from the server, for what no HTTP client would send.</summary>
internal sealed class RawConnection : IAsyncDisposable
{
    private readonly TcpClient _tcp = new();
    private NetworkStream _stream = null!;

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._tcp.ConnectAsync(address.Host, address.Port);
        connection._stream = connection._tcp.GetStream();
        return connection;
    }

    public async Task SendAsync(string text) => await _stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends a request after which the server closes.</summary>
    public Task SendGetAsync(string target) => SendAsync($"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    public Task SendPostAsync(string target, string body, string headers = "") => SendBodyAsync("POST", target, body, headers);

    /// <summary>Sends a request with a body, or an empty one, after which the server closes.</summary>
    public Task SendBodyAsync(string method, string target, string body, string headers = "") => SendAsync(
        $"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        + $"Content-Length: {body.Length}\r\n{headers}\r\n{body}");

    /// <summary>Says that nothing more will be sent.</summary>
    public void EndSending() => _tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Reads until the server closes.</summary>
    public async Task<string> ReadAsync()
    {
        using var reader = new StreamReader(_stream, Encoding.UTF8, leaveOpen: true);
        return await reader.ReadToEndAsync();
    }

    /// <summary>Reads the status line and the headers.</summary>
    public async Task<string> ReadHeadAsync()
    {
        using var reader = new StreamReader(_stream, Encoding.UTF8, leaveOpen: true);
        var head = new StringBuilder();
        while (await reader.ReadLineAsync() is { Length: > 0 } line) head.AppendLine(line);
        return head.ToString();
    }

    /// <summary>Hangs up at once, so that the server sees a reset.</summary>
    public void HangUp()
    {
        _tcp.Client.LingerState = new LingerOption(true, 0);
        _tcp.Close();
    }

    public ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        return ValueTask.CompletedTask;
    }
}
