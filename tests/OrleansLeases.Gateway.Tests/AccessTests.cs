using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>
/// Every route that the gateway has, taken from its own table, called without a credential, with a wrong one, and with each right: a
/// route that is added is refused here until it says what it needs.
/// </summary>
public sealed class AccessTests : IAsyncLifetime
{
    private const string Credential = "the-secret-of-ci";
    private const LeaseRights All = LeaseRights.Read | LeaseRights.Hold | LeaseRights.Break | LeaseRights.Keys;

    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private AccessRights _rights = AccessRights.None;
    private GatewayHost _host = null!;

    public static TheoryData<string> RoutesOfNames => new(Routes.OfNames.Keys);

    public async Task InitializeAsync() =>
        _host = await GatewayHost.StartAsync(
            _leases, options: gateway => gateway.Authenticate = CallerOf,
            services: services => services.AddSingleton(_leases.ServiceRecords));

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
    }

    [Fact]
    public void Route_OfTheTable_IsOneOfThese()
    {
        var known = Routes.OfNames.Keys.Concat(Routes.OfNoName).Concat(Routes.OfAdmin).Concat(Routes.Open);

        Assert.Equal(known.Order(), Routes.Of(_host).Order());
    }

    [Fact]
    public async Task Route_WithoutACredential_IsRefusedUnlessItIsOpen()
    {
        foreach (var route in Routes.Of(_host))
        {
            foreach (var authorization in (string?[])
                [null, "Bearer wrong", $"Basic {Credential}", "Bearer", $"Bearer {Credential}x", Credential])
            {
                var reply = await SendAsync(route, "jobs", authorization);
                if (Routes.Open.Contains(route)) Assert.Equal(HttpStatusCode.OK, reply.Status);
                else
                {
                    Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (reply.Status, reply.Challenge));
                    Assert.EndsWith("unauthorized", reply.Type, StringComparison.Ordinal);
                }
            }
        }

        foreach (var (method, path) in new[] { ("GET", "/nothing"), ("PATCH", "/v1/info"), ("HEAD", "/v1/leases/jobs") })
            Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(method, path, null, null)).Status);
    }

    [Theory]
    [MemberData(nameof(RoutesOfNames))]
    public async Task Route_ByTheRightsOfItsCaller_IsTakenOrForbidden(string route)
    {
        var needs = Routes.OfNames[route].Needs;
        Give(("jobs", needs));
        foreach (var name in new[] { "jobs", "jobs/7", "jobs%2f7", "jobs%2F7" })
            Assert.NotEqual(HttpStatusCode.Forbidden, await StatusAsync(route, name));
        foreach (var name in new[] { "jobsx", "Jobs", "jobs%252f7", "jobs%EF%BC%8F7", "other/jobs", "%6aobsx" })
            Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(route, name));
        // No path that is normalized on its way gets anywhere else.
        foreach (var name in new[] { "jobs/../other", "jobs/%2e%2e/other", "jobs/..%2fother", "jobs//7", "jobs/./7", "jobs%00" })
            Assert.NotEqual(HttpStatusCode.OK, await StatusAsync(route, name));

        Give(("jobs", All & ~needs));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(route, "jobs/7"));
    }

    [Fact]
    public async Task Batch_AndListings_AreCheckedNameByName()
    {
        await _leases.AcquireAsync(new() { Resource = "other", Owner = "ann", Ttl = TimeSpan.FromMinutes(1) });
        await _leases.PutKeyAsync("other", new() { Value = "v" });
        Give(("jobs", All));

        foreach (var (route, body) in new (string, string?)[]
        {
            ("POST /v1/leases/renew-batch", """{"leases":[{"resource":"other","owner":"ci","token":1}]}"""),
            ("POST /v1/batch", """{"operations":[{"op":"get","resource":"other"},{"op":"key-get","key":"other"}]}"""),
            ("GET /v1/leases", null), ("GET /v1/keys", null),
        })
        {
            var (method, path) = (route.Split(' ')[0], route.Split(' ')[1]);
            var reply = await SendAsync(method, path, body, $"Bearer {Credential}");
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            Assert.Equal(body is null ? 0 : body.Split("other").Length - 1, reply.Body.Split("forbidden").Length - 1);
            Assert.DoesNotContain("ann", reply.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Watch_ThatIsSilentWhenItsCredentialEnds_EndsAtTheNextComment()
    {
        var time = new ManualTimeProvider();
        await using var host = await GatewayHost.StartAsync(_leases, time: time, options: gateway => gateway.Authenticate = CallerOf);
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", Credential);
        Give(("jobs", LeaseRights.Read));
        using var events = await EventReader.OpenAsync(host, "prefix=jobs");
        await events.NextAsync();

        Volatile.Write(ref _rights, AccessRights.None);
        var reading = events.NextAsync();
        await time.AdvanceUntilAsync(() => reading.IsCompleted, TimeSpan.FromSeconds(15));

        Assert.Null(await reading);
    }

    [Fact]
    public async Task Credential_IsInNoLog()
    {
        Give(("jobs", LeaseRights.Read));
        foreach (var route in Routes.Of(_host)) await SendAsync(route, "jobs", $"Bearer {Credential}");
        foreach (var route in Routes.Of(_host)) await SendAsync(route, "jobs", $"Bearer {Credential}/wrong");

        Assert.NotEmpty(_host.Log.Texts);
        Assert.DoesNotContain(_host.Log.Texts, text => text.Contains(Credential, StringComparison.Ordinal));
    }

    private ValueTask<LeaseResult<LeaseCaller>> CallerOf(HttpContext context) =>
        new(context.Request.Headers.Authorization == $"Bearer {Credential}"
            ? new LeaseCaller("ci", () => Volatile.Read(ref _rights))
            : new Refusal.Unauthorized("No credential."));

    private void Give(params (string Prefix, LeaseRights Rights)[] rules) => Volatile.Write(
        ref _rights, new("ci", rules.Select(rule => new AccessRule { Prefix = rule.Prefix, Rights = rule.Rights })));

    private async Task<HttpStatusCode> StatusAsync(string route, string name) =>
        (await SendAsync(route, name, $"Bearer {Credential}")).Status;

    private Task<(HttpStatusCode Status, string Type, string Challenge, string Body)> SendAsync(
        string route, string name, string? authorization) =>
        SendAsync(Routes.Call(_host.Address, route, name, owner: "ci"), authorization);

    private Task<(HttpStatusCode Status, string Type, string Challenge, string Body)> SendAsync(
        string method, string path, string? body, string? authorization) =>
        SendAsync(Routes.Send(_host.Address, method, path, body), authorization);

    private async Task<(HttpStatusCode Status, string Type, string Challenge, string Body)> SendAsync(
        HttpRequestMessage request, string? authorization)
    {
        using var sent = request;
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var response = await _host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var isStream = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        var text = isStream ? "" : await response.Content.ReadAsStringAsync();
        var type = text.Split("\"type\":\"") is [_, var rest, ..] ? rest.Split('"')[0] : "";
        return (response.StatusCode, type, response.Headers.WwwAuthenticate.ToString(), text);
    }
}
