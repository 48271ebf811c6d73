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

    /// <param name="services">What is at the addresses ports 1, 2 and so on of one host.</param>
    public Wires(params ILeaseService[] services) => (_services, _cut) = (services, new bool[services.Length]);

    /// <summary>A client of them all, as one service; with its own time limits where none are named.</summary>
    public HttpLeaseService Service(TimeProvider time, TimeSpan? callTimeout = null, TimeSpan? serverTimeout = null) =>
        new(new HttpClient(this) { Timeout = Timeout.InfiniteTimeSpan }, Enumerable.Range(0, _services.Length).Select(AddressOf), time)
        {
            CallTimeout = callTimeout ?? TimeSpan.FromSeconds(15),
            ServerTimeout = serverTimeout ?? TimeSpan.FromSeconds(5),
        };

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

    private static Uri AddressOf(int number) => new($"http://leases.test:{number + 1}");

    private static async Task<HttpResponseMessage> AnswerAsync<T>(ValueTask<LeaseResult<T>> call, JsonTypeInfo<T> json)
        where T : class => (await call).TryGetValue(out var value, out var refusal)
        ? ScriptedServer.Reply(HttpStatusCode.OK, JsonSerializer.Serialize(value, json))
        : ScriptedServer.Reply(
            (HttpStatusCode)RefusalConverter.StatusOf(refusal.Code), JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal),
            "application/problem+json");
}
