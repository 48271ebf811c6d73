using System.Net;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>The examples of docs/access.md.</summary>
public sealed class ReadmeExamples
{
    private const string Theirs = "theirs";

    [Fact]
    public async Task Application_ThatAsksForCertificates_LeavesTheirJudgementToTheGateway()
    {
        using var certificates = new Certificates("authority", TimeProvider.System.GetUtcNow());
        using var unknown = new Certificates("another authority", TimeProvider.System.GetUtcNow());
        using var own = certificates.Issue("CN=localhost", names => names.AddDnsName("localhost"), Certificates.ForServers);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            // README: An application asks for certificates
            kestrel.ConfigureHttpsDefaults(https =>
            {
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.AllowAnyClientCertificate();
            });

            // README: end
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(own));
        });
        await using var application = builder.Build();
        application.MapGet("/", (HttpContext context) => context.Connection.ClientCertificate?.Subject ?? "none");
        await application.StartAsync();

        foreach (var shown in new X509Certificate2?[] { null, unknown.Issue("CN=worker") })
        {
            using var client = certificates.ClientOf(new Uri(application.Urls.Single()), shown);
            Assert.Equal(shown?.Subject ?? "none", await client.GetStringAsync("/"));
        }
    }

    [Fact]
    public async Task Application_ThatRequiresAuthorization_AndTheGateway_AreBothAsked()
    {
        using var folder = new AccessFolder();
        var (id, key) = ApiKeyText.New();
        var entry = ApiKeyText.Entry(id, key, new() { Name = "k", Principal = "ci" }, default);
        folder.Write("access.json", $$"""
            { "rules": [ { "principal": "ci", "prefix": "jobs", "verbs": ["read"] } ], "keys": [ {{entry}} ] }
            """);
        await using var leases = EmbeddedLeases.InMemory();
        await using var host = await StartWithUsersAsync(leases, folder);
        var (staff, guest) = (await LogInAsync(host, "staff"), await LogInAsync(host, "guest"));
        var (ours, wrong) = ($"Bearer {key}", $"Bearer {key[..^1]}");

        foreach (var authorization in new[] { null, ours, wrong })
        {
            Assert.Equal((HttpStatusCode.Unauthorized, Theirs), await AskAsync(host, "jobs/1", cookie: null, authorization));
            Assert.Equal((HttpStatusCode.Forbidden, Theirs), await AskAsync(host, "jobs/1", guest, authorization));
        }

        Assert.Equal((HttpStatusCode.Unauthorized, "unauthorized"), await AskAsync(host, "jobs/1", staff, authorization: null));
        Assert.Equal((HttpStatusCode.Unauthorized, "unauthorized"), await AskAsync(host, "jobs/1", staff, wrong));
        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), await AskAsync(host, "other", staff, ours));
        Assert.Equal((HttpStatusCode.OK, ""), await AskAsync(host, "jobs/1", staff, ours));
    }

    private static Task<HostApplication> StartWithUsersAsync(EmbeddedLeases leases, AccessFolder folder) => HostApplication.StartAsync(
        leases,
        services => services
            .AddLeaseGateway().AddSingleton(leases.ServiceRecords).AddLeaseAccess(folder.AccessFile)
            .AddAuthorization(options => options.DefaultPolicy = new AuthorizationPolicyBuilder().RequireRole("staff").Build())
            .AddAuthentication().AddCookie(cookie =>
            {
                cookie.Events.OnRedirectToLogin = context => RefuseAsync(context.Response, HttpStatusCode.Unauthorized);
                cookie.Events.OnRedirectToAccessDenied = context => RefuseAsync(context.Response, HttpStatusCode.Forbidden);
            }),
        app =>
        {
            app.MapGet("/login", (string role) => TypedResults.SignIn(
                new(new ClaimsIdentity([new(ClaimTypes.Role, role)], CookieAuthenticationDefaults.AuthenticationScheme)),
                authenticationScheme: CookieAuthenticationDefaults.AuthenticationScheme));

            // README: An application with users of its own
            app.MapGroup("").RequireAuthorization().MapLeases();

            // README: end
        });

    private static Task RefuseAsync(HttpResponse response, HttpStatusCode status)
    {
        response.StatusCode = (int)status;
        return response.WriteAsync(Theirs);
    }

    private static async Task<string> LogInAsync(HostApplication host, string role)
    {
        using var handler = new HttpClientHandler { UseCookies = false };
        using var client = new HttpClient(handler) { BaseAddress = host.Client.BaseAddress };
        using var reply = await client.GetAsync($"/login?role={role}");
        return Assert.Single(reply.Headers.GetValues("Set-Cookie")).Split(';')[0];
    }

    /// <summary>Asks for a lease: the status, and by which words it is refused.</summary>
    private static async Task<(HttpStatusCode Status, string Words)> AskAsync(
        HostApplication host, string resource, string? cookie, string? authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/leases/{resource}");
        if (cookie is not null) request.Headers.Add("Cookie", cookie);
        if (authorization is not null) request.Headers.Add("Authorization", authorization);
        using var reply = await host.Client.SendAsync(request);
        var text = await reply.Content.ReadAsStringAsync();
        if (reply.StatusCode == HttpStatusCode.OK || text == Theirs) return (reply.StatusCode, text == Theirs ? Theirs : "");
        using var problem = JsonDocument.Parse(text);
        return (reply.StatusCode, problem.RootElement.GetProperty("type").GetString()!.Split(':')[^1]);
    }
}
