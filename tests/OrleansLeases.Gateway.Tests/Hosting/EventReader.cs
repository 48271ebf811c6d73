using System.Net;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>Reads a stream of events as it is on the wire, a block at a time.</summary>
internal sealed class EventReader : IDisposable
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private EventReader(HttpResponseMessage response, Stream stream) => (_response, _reader) = (response, new StreamReader(stream));

    public static Task<EventReader> OpenAsync(GatewayHost host, string query, string? lastEventId = null) =>
        OpenAsync(host.Client, query, lastEventId);

    public static async Task<EventReader> OpenAsync(HttpClient client, string query, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/watch?{query}");
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (response.StatusCode, response.Content.Headers.ContentType?.ToString()));
        return new EventReader(response, await response.Content.ReadAsStreamAsync());
    }

    /// <summary>The lines up to the next empty one; null where the stream has ended.</summary>
    public async Task<string?> NextAsync()
    {
        var lines = new List<string>();
        while (await _reader.ReadLineAsync().WaitAsync(WaitTimeout) is { } line)
        {
            if (line.Length == 0) return string.Join('\n', lines);
            lines.Add(line);
        }

        Assert.Empty(lines);
        return null;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
    }
}
