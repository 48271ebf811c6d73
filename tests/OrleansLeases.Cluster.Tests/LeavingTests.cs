using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Silo;

namespace OrleansLeases.Cluster.Tests;

/// <summary>How a gateway leaves: nobody's request is cut off.</summary>
public sealed class LeavingTests
{
    [Fact]
    public async Task Leaving_WithConnectionsThatSendALateRequest_AnswersThemBeforeItCloses()
    {
        await using var app = Gateway();
        await app.StartAsync();
        var address = new Uri(app.Urls.Single());
        using var kept = await ConnectAsync(address);
        Assert.DoesNotContain("Connection: close", await AskAsync(kept), StringComparison.Ordinal);
        using var fresh = await ConnectAsync(address);

        var stopping = app.StopAsync();
        await Eventually.TrueAsync(() => RefusesAsync(address), () => "It takes connections for ever.");

        foreach (var connection in (Socket[])[kept, fresh])
        {
            var answer = await AskAsync(connection);
            Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
            Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        }

        // It has no other reason to end before tomorrow.
        await stopping.WaitAsync(Eventually.WaitTimeout);
    }

    [Fact]
    public async Task Leaving_WithAConnectionThatNothingIsSentOn_EndsAllTheSame()
    {
        await using var app = Gateway(lastMoment: TimeSpan.FromMilliseconds(1));
        await app.StartAsync();
        using var idle = await ConnectAsync(new Uri(app.Urls.Single()));
        await AskAsync(idle);

        await app.StopAsync().WaitAsync(Eventually.WaitTimeout);

        Assert.Equal(0, await idle.ReceiveAsync(new byte[1]).WaitAsync(Eventually.WaitTimeout));
    }

    // Kestrel waits as long as the host lets it, which in a silo is the time that Orleans needs to leave its cluster.
    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: he")]
    [InlineData("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")]
    public async Task Leaving_WithARequestHalfSent_CutsItAndLeavesTheRestOfTheProcessItsTime(string half)
    {
        await using var app = Gateway(lastMoment: TimeSpan.FromMilliseconds(1), stop: TimeSpan.FromMilliseconds(100));
        await app.StartAsync();
        using var caller = await ConnectAsync(new Uri(app.Urls.Single()));
        await caller.SendAsync(Encoding.ASCII.GetBytes(half));
        await AskAsync(await ConnectAsync(new Uri(app.Urls.Single())));

        await app.StopAsync().WaitAsync(Eventually.WaitTimeout);
    }

    private static WebApplication Gateway(TimeSpan? lastMoment = null, TimeSpan? stop = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        LameDuck.Add(builder.Services, lastMoment ?? TimeSpan.FromDays(1));
        if (stop is { } limit) builder.Services.BoundStop(limit);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromDays(1));
        var app = builder.Build();
        LameDuck.Use(app);
        app.Map("/", async (HttpRequest request) =>
        {
            await request.Body.CopyToAsync(Stream.Null);
            return Results.Text("here");
        });
        return app;
    }

    private static async Task<Socket> ConnectAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        return socket;
    }

    private static async Task<bool> RefusesAsync(Uri address)
    {
        try
        {
            (await ConnectAsync(address)).Dispose();
            return false;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return true;
        }
    }

    private static async Task<string> AskAsync(Socket connection)
    {
        await connection.SendAsync("GET / HTTP/1.1\r\nHost: here\r\n\r\n"u8.ToArray());
        var answer = new StringBuilder();
        var buffer = new byte[4096];
        while (!answer.ToString().EndsWith("here", StringComparison.Ordinal))
        {
            var read = await connection.ReceiveAsync(buffer).WaitAsync(Eventually.WaitTimeout);
            if (read == 0) return $"{answer}(closed)";
            answer.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        return answer.ToString();
    }
}
