using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests;

/// <summary>A server, or several, whose requests wait until the test answers them. Thread-safe.</summary>
internal sealed class RequestLog : HttpMessageHandler
{
    private readonly ConcurrentQueue<Request> _requests = new();

    /// <summary>All requests so far, in order.</summary>
    public IReadOnlyList<Request> Requests => [.. _requests];

    public HttpLeaseService Service(TimeProvider time, params string[] servers) => new(
        new HttpClient(this) { Timeout = Timeout.InfiniteTimeSpan },
        (servers.Length == 0 ? ["a"] : servers).Select(server => new Uri($"http://{server}")), time);

    /// <summary>Waits until there are so many requests, and returns the last of them.</summary>
    public async Task<Request> CountAsync(int count)
    {
        await Eventually.TrueAsync(() => _requests.Count >= count);
        Assert.Equal(count, _requests.Count);
        return Requests[^1];
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        var body = message.Content is null ? "" : await message.Content.ReadAsStringAsync(cancellationToken);
        var request = new Request(message.RequestUri!, body, cancellationToken);
        _requests.Enqueue(request);
        return await request.Response.WaitAsync(cancellationToken);
    }

    internal sealed class Request(Uri address, string body, CancellationToken gone)
    {
        private readonly TaskCompletionSource<HttpResponseMessage> _response = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Server => address.Host;

        public string Path => address.AbsolutePath;

        public string Body => body;

        /// <summary>Nobody waits for it any more.</summary>
        public bool IsGone => gone.IsCancellationRequested;

        public Task<HttpResponseMessage> Response => _response.Task;

        /// <summary>The words and names of a batch's operations.</summary>
        public IEnumerable<string> Operations
        {
            get
            {
                using var json = JsonDocument.Parse(body);
                return [.. json.RootElement.GetProperty("operations").EnumerateArray().Select(Describe)];
            }
        }

        public void Answer(string reply, HttpStatusCode status = HttpStatusCode.OK) =>
            _response.SetResult(ScriptedServer.Reply(status, reply));

        public void AnswerEach(params (int Status, string Body)[] results)
        {
            var each = results.Select(result => $$"""{"status":{{result.Status}},"body":{{result.Body}}}""");
            Answer($$"""{"elapsedMs":0,"results":[{{string.Join(',', each)}}]}""");
        }

        public void Break(Exception failure) => _response.SetException(failure);

        private static string Describe(JsonElement operation) =>
            $"{operation.GetProperty("op")} {(operation.TryGetProperty("key", out var key) ? key : operation.GetProperty("resource"))}";
    }
}
