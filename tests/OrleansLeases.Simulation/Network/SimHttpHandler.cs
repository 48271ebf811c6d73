using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Simulation.Network;

/// <summary>
/// What the HTTP client takes for its connections: a request is read by the contract's JSON, made at the host of its address over the
/// simulated network, and what comes back is written by it again. Where the host is away, the connection breaks or nothing comes, the
/// client sees what sockets would show it.
/// </summary>
/// <param name="places">The service at each place.</param>
/// <param name="planted">A defect on purpose.</param>
internal sealed class SimHttpHandler(IReadOnlyList<RemoteService> places, Planted planted) : HttpMessageHandler
{
    private const string Leases = "v1/leases/";
    private const string Keys = "v1/keys/";
    private const string Counters = "v1/counters/";
    private const string History = "v1/history/";

    private readonly Dictionary<string, byte[]>? _cached = planted.HasFlag(Planted.ProxyCaches) ? [] : null;

    public static Uri AddressOf(int place) => new($"http://{Hosts.Cluster.PlaceName(place)}/");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var address = request.RequestUri!;
        var service = places.Single(place => place.PlaceName == address.Host);
        var body = request.Content is { } content ? await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false) : [];
        var path = Uri.UnescapeDataString(address.AbsolutePath).TrimStart('/');
        var query = new SimQuery(address.Query);
        if (request.Method == HttpMethod.Post && path.StartsWith("v1/leases/renew", StringComparison.Ordinal) && _cached is not null)
            return await RenewAsync(service, path, body, cancellationToken).ConfigureAwait(false);
        if (request.Method == HttpMethod.Post) return await PostAsync(service, path, body, cancellationToken).ConfigureAwait(false);
        if (request.Method == HttpMethod.Put)
            return Answer(
                await service.PutKeyAsync(path[Keys.Length..], Read(body, LeaseJson.Default.PutKeyRequest), cancellationToken)
                    .ConfigureAwait(false),
                LeaseJson.Default.KeyPut);
        if (request.Method == HttpMethod.Delete)
            return Answer(
                await service.DeleteKeyAsync(path[Keys.Length..], query.Number("ifVersion"), cancellationToken).ConfigureAwait(false),
                LeaseJson.Default.KeyDeletion);
        return await GetAsync(service, path, query, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<HttpResponseMessage> PostAsync(RemoteService service, string path, byte[] body, CancellationToken stop) =>
        path switch
        {
            "v1/leases/acquire" => Answer(
                await service.AcquireAsync(Read(body, LeaseJson.Default.AcquireRequest), stop).ConfigureAwait(false),
                LeaseJson.Default.LeaseGrant),
            "v1/leases/renew" => Answer(
                await service.RenewAsync(Read(body, LeaseJson.Default.RenewRequest), stop).ConfigureAwait(false),
                LeaseJson.Default.LeaseRenewal),
            "v1/leases/renew-batch" => Answer(
                await service.RenewBatchAsync(Read(body, LeaseJson.Default.RenewBatchRequest), stop).ConfigureAwait(false),
                LeaseJson.Default.RenewBatchReply),
            "v1/leases/release" => Answer(
                await service.ReleaseAsync(Read(body, LeaseJson.Default.ReleaseRequest), stop).ConfigureAwait(false),
                LeaseJson.Default.LeaseRelease),
            "v1/leases/transfer" => Answer(
                await service.TransferAsync(Read(body, LeaseJson.Default.TransferRequest), stop).ConfigureAwait(false),
                LeaseJson.Default.LeaseGrant),
            "v1/leases/break" => Answer(
                await service.BreakAsync(Read(body, LeaseJson.Default.BreakRequest), stop).ConfigureAwait(false),
                LeaseJson.Default.LeaseBreak),
            "v1/batch" => await SimBatch.AnswerAsync(service, body, stop).ConfigureAwait(false),
            _ => Answer(
                await service.AddToCounterAsync(
                    path[Counters.Length..], Read(body, LeaseJson.Default.AddToCounterRequest), stop).ConfigureAwait(false),
                LeaseJson.Default.CounterValue),
        };

    private static async Task<HttpResponseMessage> GetAsync(RemoteService service, string path, SimQuery query, CancellationToken stop)
    {
        if (path == "v1/watch") return await SimEventStream.AnswerAsync(service, query, stop).ConfigureAwait(false);
        if (path == "v1/info") return Answer(await service.InfoAsync(stop).ConfigureAwait(false), LeaseJson.Default.ServiceInfo);
        if (path == "v1/leases")
        {
            var state = query.Text("state") switch { "free" => LeaseFilter.Free, "any" => LeaseFilter.Any, _ => LeaseFilter.Held };
            var listing = new ListLeasesRequest
            {
                Prefix = query.Text("prefix") ?? "", Owner = query.Text("owner"), State = state, After = query.Text("after"),
                PageSize = (int?)query.Number("pageSize") ?? new ListLeasesRequest().PageSize,
            };
            return Answer(await service.ListAsync(listing, stop).ConfigureAwait(false), LeaseJson.Default.LeasePage);
        }

        if (path == "v1/keys")
        {
            var listing = new ListKeysRequest
            {
                Prefix = query.Text("prefix") ?? "", After = query.Text("after"),
                PageSize = (int?)query.Number("pageSize") ?? new ListKeysRequest().PageSize,
            };
            return Answer(await service.ListKeysAsync(listing, stop).ConfigureAwait(false), LeaseJson.Default.KeyPage);
        }

        if (path.StartsWith(Keys, StringComparison.Ordinal))
            return Answer(await service.GetKeyAsync(path[Keys.Length..], stop).ConfigureAwait(false), LeaseJson.Default.KeyValue);
        if (path.StartsWith(History, StringComparison.Ordinal))
            return Answer(await service.HistoryAsync(path[History.Length..], stop).ConfigureAwait(false), LeaseJson.Default.LeaseHistory);
        var get = new GetLeaseRequest { Resource = path[Leases.Length..], Consistent = query.Text("consistent") == "true" };
        return Answer(await service.GetAsync(get, stop).ConfigureAwait(false), LeaseJson.Default.LeaseInfo);
    }

    private async Task<HttpResponseMessage> RenewAsync(RemoteService service, string path, byte[] body, CancellationToken stop)
    {
        var asked = Convert.ToHexString(body);
        if (_cached!.TryGetValue(asked, out var heard)) return Message(200, "application/json", heard);
        var answer = await PostAsync(service, path, body, stop).ConfigureAwait(false);
        if (answer.IsSuccessStatusCode) _cached[asked] = await answer.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false);
        return answer;
    }

    private static T Read<T>(byte[] body, JsonTypeInfo<T> json) => JsonSerializer.Deserialize(body, json)!;

    public static HttpResponseMessage Answer<T>(LeaseResult<T> result, JsonTypeInfo<T> json)
        where T : class => result.TryGetValue(out var value, out var refusal)
            ? Message(200, "application/json", JsonSerializer.SerializeToUtf8Bytes(value, json))
            : Message(
                RefusalConverter.StatusOf(refusal.Code), "application/problem+json",
                JsonSerializer.SerializeToUtf8Bytes(refusal, LeaseJson.Default.Refusal));

    public static HttpResponseMessage Message(int status, string type, byte[] content) => new((HttpStatusCode)status)
    {
        Content = new ByteArrayContent(content) { Headers = { ContentType = new(type) } },
    };
}

/// <summary>The parameters of an address.</summary>
internal sealed class SimQuery(string query)
{
    private readonly Dictionary<string, string> _values = query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));

    public string? Text(string name) => _values.GetValueOrDefault(name);

    public long? Number(string name) =>
        Text(name) is { } text ? long.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : null;
}
