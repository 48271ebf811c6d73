using System.Text;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class BodyTransportTests : IAsyncLifetime
{
    private const int MaxBytes = 1024 * 1024;

    private readonly ScriptedLeases _leases = new();
    private GatewayHost _host = null!;

    private static string Release => Shapes.BodyWith("release", "", "");

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json;charset=\"UTF-8\"")]
    public async Task Post_WhenMediaTypeIsJson_IsTaken(string contentType) =>
        Assert.Equal(200, (await _host.PostAsync("/v1/leases/release", Encoding.UTF8.GetBytes(Release), contentType)).Status);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/jsonp")]
    [InlineData("json")]
    public async Task Post_WhenMediaTypeIsAnother_IsRefused(string contentType)
    {
        var reply = await _host.PostAsync("/v1/leases/release", Encoding.UTF8.GetBytes(Release), contentType);
        Assert.Contains(contentType, reply.AssertInvalid("contentType", 415), StringComparison.Ordinal);
        Assert.Empty(_leases.Asked);
    }

    [Fact]
    public async Task Post_WhenBodyIsAtItsBound_IsTaken()
    {
        var body = Encoding.UTF8.GetBytes(Release + new string(' ', MaxBytes - Release.Length));
        Assert.Equal(200, (await _host.PostAsync("/v1/leases/release", body)).Status);
        Assert.Equal(200, (await SendChunkedAsync(body)).Status);
    }

    [Fact]
    public async Task Post_WhenBodyIsBeyondItsBound_IsRefused()
    {
        var body = Encoding.UTF8.GetBytes(Release + new string(' ', MaxBytes + 1 - Release.Length));
        Assert.Contains(
            "1048576", (await _host.PostAsync("/v1/leases/release", body)).AssertInvalid("body", 413), StringComparison.Ordinal);
        (await SendChunkedAsync(body)).AssertInvalid("body", 413);
        Assert.Empty(_leases.Asked);
    }

    [Fact]
    public async Task Post_WhenBodyComesInPieces_IsReadWhole()
    {
        await using var connection = await _host.ConnectAsync();
        await connection.SendAsync(
            "POST /v1/leases/release HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n");
        foreach (var piece in Release.Chunk(7)) await connection.SendAsync($"{piece.Length:x}\r\n{new string(piece)}\r\n");
        await connection.SendAsync("0\r\n\r\n");
        Assert.Equal(200, Reply.Parse(await connection.ReadAsync()).Status);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n2\r\n{}garbage\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n80000000\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 10485760\r\nExpect: 100-continue\r\n\r\n")]
    [InlineData("Content-Length: 99999999999\r\n\r\n")]
    public async Task Post_WhenFramingIsWrong_IsAProblem(string rest)
    {
        await using var connection = await _host.ConnectAsync();
        await connection.SendAsync("POST /v1/leases/release HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + rest);
        var reply = await connection.ReadHeadAsync();
        Assert.Matches("^HTTP/1.1 4[0-9][0-9] ", reply);
        Assert.Contains("application/problem+json", reply, StringComparison.Ordinal);
        Assert.Empty(_leases.Asked);
    }

    // The server answers these by itself, before there is a request that anyone could see.
    [Theory]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("GET /v1/leases/a HTTP/1.1\r\n\r\n")]
    [InlineData("GET /v1/leases/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /v1/leases/\u00ff HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("POST /v1/leases/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("GET /v1/leases/a HTTP/1.1\r\nHost: localhost\r\nX: \u00ff\r\n\r\n")]
    public async Task Call_WhenHttpIsMalformed_IsRefused(string request)
    {
        await using var connection = await _host.ConnectAsync();
        await connection.SendAsync(request);
        Assert.Matches("^HTTP/1.1 4[0-9][0-9] ", await connection.ReadHeadAsync());
        Assert.Empty(_leases.Asked);
    }

    private async Task<Reply> SendChunkedAsync(byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/leases/release") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TransferEncodingChunked = true;
        return await Reply.ReadAsync(await _host.Client.SendAsync(request));
    }
}
