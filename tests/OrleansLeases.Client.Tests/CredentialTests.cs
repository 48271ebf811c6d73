using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>The credential of a client among the services of an application: in each request, and nowhere else.</summary>
public sealed class CredentialTests
{
    private const string Secret = "olk_0123456789abcdef.secret~+/=";

    private readonly List<string?> _seen = [];
    private readonly ScriptedServers _servers = new();

    public CredentialTests()
    {
        foreach (var server in new[] { "a", "b" })
        {
            _servers.Does(server, (request, _) =>
            {
                _seen.Add(request.Headers.Authorization?.ToString());
                return Task.FromResult(ScriptedServer.Reply(HttpStatusCode.OK, "{}"));
            });
        }
    }

    [Theory]
    [MemberData(nameof(Requests.Changes), MemberType = typeof(Requests))]
    public async Task Token_IsInEachRequest(string verb, string? requestId)
    {
        _ = requestId;
        await using var provider = Provide(options => options.Token = Secret);

        await Requests.CallAsync(verb, Service(provider));
        await Requests.CallAsync("get", Service(provider));
        await Requests.CallAsync("watch", Service(provider));

        Assert.All(_seen, authorization => Assert.Equal($"Bearer {Secret}", authorization));
        Assert.True(_seen.Count >= 3);
    }

    [Fact]
    public async Task TokenFile_IsReadForEachRequest()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, " one\n");
            var settings = new Dictionary<string, string?> { ["Servers:0"] = "http://a", ["TokenFile"] = file };
            var services = new ServiceCollection();
            services.AddLeasesClient(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
                .ConfigurePrimaryHttpMessageHandler(() => _servers);
            await using var provider = services.BuildServiceProvider();

            await Service(provider).InfoAsync();
            await File.WriteAllTextAsync(file, "two");
            await Service(provider).InfoAsync();
            File.Delete(file);
            var refused = await Requests.CallAsync("release", Service(provider));

            Assert.Equal(["Bearer one", "Bearer two"], _seen);
            Assert.Contains($"FileNotFoundException: Could not find file '{file}'", refused!.Detail, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Provider_IsAskedForEachRequest()
    {
        var asked = 0;
        await using var provider = Provide(options => options.TokenProvider = _ => new($"token-{++asked}"));

        await Service(provider).InfoAsync();
        await Service(provider).InfoAsync();

        // The answer of the first server is no lease server's, so the second is asked as well.
        Assert.Equal(["Bearer token-1", "Bearer token-2", "Bearer token-3", "Bearer token-4"], _seen);
    }

    [Theory]
    [MemberData(nameof(Requests.Changes), MemberType = typeof(Requests))]
    public async Task Provider_ThatFails_LeavesTheCallUnsent_AndTheServersAlone(string verb, string? requestId)
    {
        _ = requestId;
        var asked = 0;
        await using var provider = Provide(options => options.TokenProvider = _ => asked++ == 0
            ? throw new TaskCanceledException("The issuer is away.")
            : new(Secret));

        var refusal = await Requests.CallAsync(verb, Service(provider));
        await Service(provider).InfoAsync();

        Assert.Equal(
            new Refusal.Unavailable(
                TimeSpan.Zero, "The credential of this client cannot be had: TaskCanceledException: The issuer is away."),
            refusal);
        // Neither server had failed: the first one is the first to be asked.
        Assert.Equal("ab", _servers.Asked);
    }

    [Fact]
    public async Task Provider_ThatDoesNotHeedTheEndOfTheCall_EndsWithIt()
    {
        var time = new ManualTimeProvider();
        var never = new TaskCompletionSource<string>();
        await using var provider = Provide(
            options => options.TokenProvider = _ => new(never.Task), services => services.AddSingleton<TimeProvider>(time));

        var call = Requests.CallAsync("delete-key", Service(provider));
        time.Advance(TimeSpan.FromSeconds(15));
        using var leaves = new CancellationTokenSource();
        var cancelled = Requests.CallAsync("delete-key", Service(provider), leaves.Token);
        await leaves.CancelAsync();

        Assert.IsType<Refusal.Unavailable>(await call);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Empty(_seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret\r\nX-Other: 1")]
    [InlineData("secret secret")]
    [InlineData("sécret")]
    public async Task Token_ThatIsNone_IsNeverNamed(string token)
    {
        await using var provider = Provide(options => options.TokenProvider = _ => new(token));
        await using var misconfigured = Provide(options => options.Token = token);

        var refusal = await Requests.CallAsync("acquire", Service(provider));
        var wrong = Assert.Throws<OptionsValidationException>(() => Service(misconfigured));

        Assert.Contains("no bearer token; it takes", refusal!.Detail, StringComparison.Ordinal);
        Assert.StartsWith("LeaseHttpOptions.Token is no bearer token; it takes", wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", refusal.Detail + wrong.Message, StringComparison.Ordinal);
        Assert.Empty(_seen);
    }

    [Fact]
    public void Options_WithTwoCredentials_AreRefused()
    {
        using var provider = Provide(options => (options.Token, options.TokenFile) = (Secret, "token"));

        var wrong = Assert.Throws<OptionsValidationException>(() => Service(provider));

        Assert.Equal("LeaseHttpOptions has several credentials; set one of Token, TokenFile and TokenProvider.", wrong.Message);
    }

    [Theory]
    [InlineData("http://leases.test", true)]
    [InlineData("https://leases.test", false)]
    [InlineData("http://127.0.0.1:7400", false)]
    [InlineData("http://localhost:7400", false)]
    public async Task Credential_OnAnOpenNetwork_IsWarnedOfOnce_AndNeverLogged(string server, bool isOpen)
    {
        var log = new LogBook();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new LogBooks(log)));
        services.AddLeasesClient(options =>
        {
            options.Servers.Add(server);
            options.Token = Secret;
        }).AddDefaultLogger().ConfigurePrimaryHttpMessageHandler(() => _servers);
        await using var provider = services.BuildServiceProvider();

        await Service(provider).InfoAsync();
        await provider.GetRequiredService<LeaseClient>().Service.InfoAsync();

        var warnings = log.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Message);
        Assert.Equal(
            isOpen
                ? [$"The credential of the lease client goes to {server}/ unencrypted, for all to read on the way; use https."]
                : [],
            warnings);
        Assert.Contains(log.Lines, line => line.Message.Contains("Authorization", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Message.Contains(Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ClientCertificate_IsShownToTheServer()
    {
        using var key = ECDsa.Create();
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().UseUrls("https://127.0.0.1:0").ConfigureKestrel(kestrel =>
            kestrel.ConfigureHttpsDefaults(https =>
            {
                https.ServerCertificate = certificate;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.AllowAnyClientCertificate();
            }));
        await using var server = builder.Build();
        server.MapFallback(context =>
        {
            _seen.Add(context.Connection.ClientCertificate?.Thumbprint);
            return Results.Json(new Refusal.Forbidden("seen") as Refusal, LeaseJson.Default.Refusal, statusCode: 403).ExecuteAsync(context);
        });
        await server.StartAsync();
        var services = new ServiceCollection();
        services.AddLeasesClient(options =>
        {
            options.Servers.Add(server.Urls.Single());
            options.ClientCertificate = () => certificate;
        }).ConfigurePrimaryHttpMessageHandler((handler, _) =>
            ((SocketsHttpHandler)handler).SslOptions.RemoteCertificateValidationCallback =
                (_, shown, _, _) => shown?.GetCertHashString() == certificate.GetCertHashString());
        await using var provider = services.BuildServiceProvider();

        Assert.Equal(new Refusal.Forbidden("seen"), await Requests.CallAsync("acquire", Service(provider)));

        Assert.Equal([certificate.Thumbprint], _seen);
    }

    private static ILeaseService Service(IServiceProvider provider) => provider.GetRequiredService<ILeaseService>();

    private ServiceProvider Provide(Action<LeaseHttpOptions> configure, Action<IServiceCollection>? add = null)
    {
        var services = new ServiceCollection();
        services.AddLeasesClient(options =>
        {
            options.Servers.Add("http://a");
            options.Servers.Add("http://b");
            configure(options);
        }).ConfigurePrimaryHttpMessageHandler(() => _servers);
        add?.Invoke(services);
        return services.BuildServiceProvider(validateScopes: true);
    }
}
