using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>
/// HTTP without sockets: leads each address to a service, or nowhere. What a caller gives up goes on by itself. Thread-safe.
/// </summary>
internal sealed class Wires : HttpMessageHandler
{
    private readonly ILeaseService[] _services;
    private readonly bool[] _cut;
    private readonly Lock _gate = new();
    private int _withheld;

    /// <param name="services">What is at the addresses ports 1, 2 and so on of one host.</param>
    public Wires(params ILeaseService[] services) => (_services, _cut) = (services, new bool[services.Length]);

    /// <summary>A client of them all, as one service; with its own time limits where none are named.</summary>
    public HttpLeaseService Service(TimeProvider time, TimeSpan? callTimeout = null, TimeSpan? serverTimeout = null) =>
        new(new HttpClient(this) { Timeout = Timeout.InfiniteTimeSpan }, Enumerable.Range(0, _services.Length).Select(AddressOf), time)
        {
            CallTimeout = callTimeout ?? TimeSpan.FromSeconds(15),
            ServerTimeout = serverTimeout ?? TimeSpan.FromSeconds(5),
        };

    /// <summary>How many acquires have an answer that waits for those of others in its batch.</summary>
    public int Withheld
    {
        get
        {
            lock (_gate) return _withheld;
        }
    }

    /// <summary>Connections to a server are refused, or no longer.</summary>
    public void Cut(int number, bool cut = true) => Volatile.Write(ref _cut[number], cut);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var number = request.RequestUri!.Port - 1;
        if (Volatile.Read(ref _cut[number])) throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");
        var service = _services[number];
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var path = request.RequestUri.AbsolutePath;
        return await (path switch
        {
            "/v1/leases/acquire" => AskAsync(service.AcquireAsync, LeaseJson.Default.AcquireRequest, LeaseJson.Default.LeaseGrant),
            "/v1/leases/renew-batch" =>
                AskAsync(service.RenewBatchAsync, LeaseJson.Default.RenewBatchRequest, LeaseJson.Default.RenewBatchReply),
            "/v1/leases/release" => AskAsync(service.ReleaseAsync, LeaseJson.Default.ReleaseRequest, LeaseJson.Default.LeaseRelease),
            "/v1/batch" => BatchAsync(service, body, cancellationToken),
            "/v1/info" => AnswerAsync(service.InfoAsync(cancellationToken), LeaseJson.Default.ServiceInfo),
            _ => AnswerAsync(
                service.GetAsync(new() { Resource = path["/v1/leases/".Length..], Consistent = true }, cancellationToken),
                LeaseJson.Default.LeaseInfo),
        }).WaitAsync(cancellationToken);

        Task<HttpResponseMessage> AskAsync<TRequest, TReply>(
            Func<TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> call, JsonTypeInfo<TRequest> takes,
            JsonTypeInfo<TReply> gives)
            where TReply : class => AnswerAsync(call(JsonSerializer.Deserialize(body, takes)!, cancellationToken), gives);
    }

    private async Task<HttpResponseMessage> BatchAsync(ILeaseService service, byte[] body, CancellationToken cancellationToken)
    {
        var (withheld, isOver) = (0, false);
        using var gone = cancellationToken.UnsafeRegister(_ => End(), null);
        using var batch = JsonDocument.Parse(body);
        var results = await Task.WhenAll(batch.RootElement.GetProperty("operations").EnumerateArray().Select(MakeAsync).ToArray());
        End();
        return ScriptedServer.Reply(HttpStatusCode.OK, $$"""{"elapsedMs":0,"results":[{{string.Join(',', results)}}]}""");

        async Task<string> MakeAsync(JsonElement operation)
        {
            var fields = operation.EnumerateObject()
                .Where(field => field.Name != "op")
                .ToDictionary(field => field.Name, field => field.Value);
            var alone = JsonSerializer.SerializeToUtf8Bytes(fields);
            var word = operation.GetProperty("op").GetString();
            var answer = await (word switch
            {
                "acquire" => AnswerAsync(
                    service.AcquireAsync(JsonSerializer.Deserialize(alone, LeaseJson.Default.AcquireRequest)!, cancellationToken),
                    LeaseJson.Default.LeaseGrant),
                "release" => AnswerAsync(
                    service.ReleaseAsync(JsonSerializer.Deserialize(alone, LeaseJson.Default.ReleaseRequest)!, cancellationToken),
                    LeaseJson.Default.LeaseRelease),
                _ => AnswerAsync(
                    service.GetAsync(JsonSerializer.Deserialize(alone, LeaseJson.Default.GetLeaseRequest)!, cancellationToken),
                    LeaseJson.Default.LeaseInfo),
            });
            if (word == "acquire") Withhold();
            return $$"""{"status":{{(int)answer.StatusCode}},"body":{{await answer.Content.ReadAsStringAsync(CancellationToken.None)}}}""";
        }

        void Withhold()
        {
            lock (_gate)
            {
                if (isOver) return;
                withheld++;
                _withheld++;
            }
        }

        void End()
        {
            lock (_gate)
            {
                if (!isOver) _withheld -= withheld;
                isOver = true;
            }
        }
    }

    private static Uri AddressOf(int number) => new($"http://leases.test:{number + 1}");

    private static async Task<HttpResponseMessage> AnswerAsync<T>(ValueTask<LeaseResult<T>> call, JsonTypeInfo<T> json)
        where T : class => (await call).TryGetValue(out var value, out var refusal)
        ? ScriptedServer.Reply(HttpStatusCode.OK, JsonSerializer.Serialize(value, json))
        : ScriptedServer.Reply(
            (HttpStatusCode)RefusalConverter.StatusOf(refusal.Code), JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal),
            "application/problem+json");
}
