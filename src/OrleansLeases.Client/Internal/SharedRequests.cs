using System.Net;

namespace OrleansLeases.Client.Internal;

/// <summary>Sends calls that have gathered together, and hands each its part of the response. Thread-safe.</summary>
internal sealed class SharedRequests
{
    private const string Path = "v1/batch";

    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly Dictionary<Server, (Gathering Renewals, Gathering Others)> _gatherings;

    public SharedRequests(HttpClient http, ServerList servers, TimeProvider time)
    {
        (_http, _time) = (http, time);
        _gatherings = servers.All.ToDictionary(server => server, server => (New(server), New(server)));

        Gathering New(Server server) => new((gathering, request) => _ = Background.Run(() => SendAsync(gathering, server, request)), time);
    }

    /// <summary>How many calls wait.</summary>
    public int Gathered => _gatherings.Values.Sum(gatherings => gatherings.Renewals.Count + gatherings.Others.Count);

    /// <summary>The calls that go to a server together.</summary>
    /// <param name="server">The server.</param>
    /// <param name="ofRenewals">Those that prolong leases, which wait for no other kind.</param>
    public Gathering Of(Server server, bool ofRenewals) => ofRenewals ? _gatherings[server].Renewals : _gatherings[server].Others;

    public Hold HoldBack()
    {
        foreach (var (renewals, others) in _gatherings.Values)
        {
            renewals.HoldBack();
            others.HoldBack();
        }

        return new Hold(this);
    }

    private async Task SendAsync(Gathering gathering, Server server, SharedRequest request)
    {
        var calls = request.Calls;
        using var span = LeaseTracing.StartTogether("leases.client.batch", calls, static call => call.Caller);
        using var message = RequestBody.Message(_http, HttpMethod.Post, server, Path, new RequestBody(WireOperation.Batch(calls)));
        try
        {
            // Each caller waits for as long as it likes; the request lasts for as long as one does.
            request.Leave();
            using var response = await _http.SendAsync(message, request.Stop).ConfigureAwait(false);
            var answer = await HttpAnswer.ReadAsync(response, _time, request.Stop).ConfigureAwait(false);
            if (MostWhere(answer.Status, calls.Count) is { } most)
            {
                gathering.Limit(most);
                gathering.GoAlone(calls);
                return;
            }

            var results = answer.Status == HttpStatusCode.OK ? WireOperation.ReadResults(answer.Content) : null;
            if (results?.Exists(result => result.Status == (int)HttpStatusCode.ServiceUnavailable) == true) gathering.KeepApart();
            for (var i = 0; i < calls.Count; i++)
            {
                // What is no response to a batch is one to each call, and says of each what it would say of it alone.
                calls[i].Take(results?.Count == calls.Count ? PartOf(results[i]) : answer);
            }
        }
        catch (Exception error)
        {
            foreach (var call in calls) call.Fail(message, error);
        }
        finally
        {
            gathering.End();
        }

        HttpAnswer PartOf((int Status, ReadOnlyMemory<byte> Body) result) =>
            new((HttpStatusCode)result.Status, "application/json", TimeSpan.Zero, result.Body);
    }

    /// <summary>How many calls the server may take together, where it says that it took none of these; null where it does not.</summary>
    private static int? MostWhere(HttpStatusCode status, int count) => status switch
    {
        HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge => count / 2,
        // An older server, or a proxy in front that lets only the routes through that it knows.
        HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.Forbidden => 1,
        _ => null,
    };

    /// <summary>Calls gather for as long as there is one.</summary>
    internal readonly struct Hold(SharedRequests requests) : IDisposable
    {
        public void Dispose()
        {
            foreach (var (renewals, others) in requests._gatherings.Values)
            {
                renewals.Release();
                others.Release();
            }
        }
    }
}
