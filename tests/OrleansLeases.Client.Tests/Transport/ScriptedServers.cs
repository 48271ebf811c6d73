using System.Net;
using System.Text;
using System.Text.Json;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests;

/// <summary>
/// Several servers, <c>a</c>, <c>b</c> and <c>c</c>, each of which does what the test scripted; and what they were asked, in order.
/// Thread-safe.
/// </summary>
internal sealed class ScriptedServers : HttpMessageHandler
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>> _servers = [];
    private readonly StringBuilder _asked = new();
    private readonly List<string> _bodies = [];

    /// <summary>The servers that were asked, one letter each, since this was looked at last.</summary>
    public string Asked
    {
        get
        {
            lock (_gate)
            {
                var asked = _asked.ToString();
                _asked.Clear();
                return asked;
            }
        }
    }

    /// <summary>Waits until these servers were asked, one letter each, since <see cref="Asked"/> was read last.</summary>
    public Task AskedAsync(string servers)
    {
        var asked = "";
        return Eventually.TrueAsync(() => (asked += Asked) == servers);
    }

    /// <summary>The bodies that they have read.</summary>
    public IReadOnlyList<string> Bodies
    {
        get
        {
            lock (_gate) return [.. _bodies];
        }
    }

    public HttpLeaseService Service(string servers, TimeProvider? time = null) =>
        new(new HttpClient(this) { Timeout = Timeout.InfiniteTimeSpan }, servers.Select(server => new Uri($"http://{server}")), time);

    /// <summary>It answers.</summary>
    public void Answers(string server, HttpStatusCode status, string body) =>
        Does(server, (_, _) => Task.FromResult(ScriptedServer.Reply(status, body)));

    /// <summary>It refuses, as the contract has it.</summary>
    public void Refuses(string server, Refusal refusal) =>
        Answers(
            server, (HttpStatusCode)RefusalConverter.StatusOf(refusal.Code), JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal));

    /// <summary>No connection to it can be made.</summary>
    public void IsAway(string server)
    {
        lock (_gate) _servers[server] = (_, _) => throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");
    }

    /// <summary>It reads the request, and the connection breaks.</summary>
    public void LosesAnswers(string server) =>
        Does(server, (_, _) => throw new HttpRequestException(HttpRequestError.ResponseEnded, "The answer broke off"));

    /// <summary>It reads the request, and is not heard of again.</summary>
    public void IsSilent(string server) => Does(server, (_, stop) => new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(stop));

    /// <summary>It reads the request, and answers when the test says so.</summary>
    public TaskCompletionSource<HttpResponseMessage> Waits(string server)
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        Does(server, (_, stop) => answer.Task.WaitAsync(stop));
        return answer;
    }

    /// <summary>A connection to it is never made: it does not see the request.</summary>
    public void IsBehindABlackHole(string server)
    {
        lock (_gate) _servers[server] = (_, stop) => new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(stop);
    }

    public void Does(string server, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> what)
    {
        lock (_gate)
        {
            _servers[server] = async (request, stop) =>
            {
                var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(stop);
                lock (_gate) _bodies.Add(body);
                return await what(request, stop);
            };
        }
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> server;
        lock (_gate)
        {
            _asked.Append(request.RequestUri!.Host);
            server = _servers[request.RequestUri.Host];
        }

        return server(request, cancellationToken);
    }
}
