using System.Net;
using System.Text;

namespace OrleansLeases.Client.Tests;

/// <summary>Answers each request with what the test scripted, and records what was asked.</summary>
internal sealed class ScriptedServer : HttpMessageHandler
{
    private readonly Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> _answer;

    public ScriptedServer(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) => _answer = answer;

    public ScriptedServer(HttpStatusCode status, string body, string mediaType = "application/json")
        : this((_, _) => Task.FromResult(Reply(status, body, mediaType)))
    {
    }

    public ScriptedServer(Exception failure)
        : this((_, _) => Task.FromException<HttpResponseMessage>(failure))
    {
    }

    public Uri? Address { get; private set; }

    public HttpMethod? Method { get; private set; }

    public string Body { get; private set; } = "";

    public string PathAndQuery => Address!.PathAndQuery;

    public HttpLeaseService Service(string baseAddress = "http://leases.test", TimeProvider? time = null) =>
        new(new HttpClient(this) { BaseAddress = new Uri(baseAddress) }, time);

    public static HttpResponseMessage Reply(HttpStatusCode status, string body, string mediaType = "application/json") =>
        new(status) { Content = new StringContent(body, Encoding.UTF8, mediaType) };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Address = request.RequestUri;
        Method = request.Method;
        Body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        return await _answer(request, cancellationToken);
    }
}
