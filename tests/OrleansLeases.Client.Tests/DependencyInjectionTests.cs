using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>Leases over HTTP among the services of an application.</summary>
public sealed class DependencyInjectionTests
{
    private readonly ScriptedServers _servers = new();

    [Fact]
    public async Task Services_AreOneForTheApplication()
    {
        await using var provider = Provide(Named);
        await using var scope = provider.CreateAsyncScope();

        Assert.Same(provider.GetRequiredService<LeaseClient>(), scope.ServiceProvider.GetRequiredService<LeaseClient>());
        Assert.Same(provider.GetRequiredService<ILeaseService>(), scope.ServiceProvider.GetRequiredService<ILeaseService>());
        Assert.Same(provider.GetRequiredService<ILeaseService>(), provider.GetRequiredService<LeaseClient>().Service);
        Assert.IsType<HttpLeaseService>(provider.GetRequiredService<ILeaseService>());
    }

    [Fact]
    public async Task TypedClient_OfTheFactory_IsALeaseService()
    {
        var services = new ServiceCollection();
        services.AddHttpClient<ILeaseService, HttpLeaseService>(http => http.BaseAddress = new Uri("http://a"))
            .ConfigurePrimaryHttpMessageHandler(() => _servers);
        _servers.Refuses("a", new Refusal.Conflict(3, "told by a"));
        await using var provider = services.BuildServiceProvider(validateScopes: true);

        Assert.Equal(
            new Refusal.Conflict(3, "told by a"), await Requests.CallAsync("acquire", provider.GetRequiredService<ILeaseService>()));
    }

    [Fact]
    public async Task Clock_IsTheSystems_WhereTheApplicationHasNone()
    {
        await using var provider = Provide(Named);

        Assert.Same(TimeProvider.System, provider.GetRequiredService<TimeProvider>());
    }

    [Fact]
    public async Task Servers_AreAskedInTheirOrder_WithTheTimesOfTheOptions()
    {
        var time = new ManualTimeProvider();
        _servers.IsSilent("a");
        _servers.Refuses("b", new Refusal.Conflict(3, "told by b"));
        await using var provider = Provide(
            options =>
            {
                Named(options);
                options.ServerTimeout = TimeSpan.FromSeconds(3);
            },
            services => services.AddSingleton<TimeProvider>(time));

        var call = Requests.CallAsync("acquire", provider.GetRequiredService<ILeaseService>());
        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(new Refusal.Conflict(3, "told by b"), await call);
        Assert.Equal("ab", _servers.Asked);
    }

    [Fact]
    public async Task Configuration_IsBound_DownToHowLeasesAreHeld()
    {
        var configuration = Configure(
            ("Servers:0", "http://a"), ("Servers:1", "https://b:7400/leases"), ("CallTimeout", "00:00:20"), ("ServerTimeout", "00:00:04"),
            ("ConnectTimeout", "00:00:01"), ("ConnectionLifetime", "00:05:00"), ("Client:Owner", "worker-7"),
            ("Client:ClockDrift", "0.02"));
        await using var provider = new ServiceCollection().AddLeasesClient(configuration).Services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<LeaseHttpOptions>>().Value;

        Assert.Equal(["http://a", "https://b:7400/leases"], options.Servers);
        Assert.Equal(
            (TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
            (options.CallTimeout, options.ServerTimeout, options.ConnectTimeout, options.ConnectionLifetime));
        Assert.Equal(new LeaseClientOptions { Owner = "worker-7", ClockDrift = 0.02 }, options.Client);
        Assert.Equal("worker-7", provider.GetRequiredService<LeaseClient>().Owner);
    }

    public static TheoryData<string, string?, string> BadConfiguration => new()
    {
        { "Servers:0", null, "LeaseHttpOptions.Servers is empty; name the address of a server" },
        { "Servers:0", "leases.example:7400", "LeaseHttpOptions.Servers[0] is 'leases.example:7400'; write an absolute "
            + "http or https address" },
        { "Servers:1", "http://A/", "LeaseHttpOptions.Servers[1] is 'http://A/', which is there before; name it once." },
        { "CallTimeout", "00:00:00", "LeaseHttpOptions.CallTimeout is 00:00:00; it takes 00:00:00.0000001 to 1.00:00:00." },
        { "ServerTimeout", "00:00:16", "LeaseHttpOptions.ServerTimeout is 00:00:16; it takes 00:00:00.0000001 to 00:00:15." },
        { "ConnectTimeout", "-00:00:01", "LeaseHttpOptions.ConnectTimeout is -00:00:01; it takes 00:00:00.0000001 to 00:00:15." },
        { "ConnectionLifetime", "00:00:00.5", "LeaseHttpOptions.ConnectionLifetime is 00:00:00.5000000; it takes 00:00:01 to 1.00:00:00." },
        { "Client:Owner", "", "LeaseClientOptions.Owner is empty; it takes 1 to 512 bytes." },
        { "Client:ClockDrift", "0.6", "LeaseClientOptions.ClockDrift is 0.6; it takes 0 to 0.5." },
        { "CallTimeout", "soon", "Failed to convert configuration value 'soon' at 'CallTimeout'" },
        { "CallTimout", "00:00:10", "'CallTimout'" },
    };

    [Theory]
    [MemberData(nameof(BadConfiguration))]
    public async Task Host_WithABadOption_DoesNotStart_AndSaysWhatToWrite(string name, string? value, string message)
    {
        var settings = new Dictionary<string, string?> { ["Servers:0"] = "http://a", [name] = value };
        if (value is null) settings.Remove(name);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLeasesClient(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        using var host = builder.Build();

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync());

        Assert.True(
            refused is OptionsValidationException or InvalidOperationException, $"{refused.GetType()} is no error of configuration.");
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_WithSeveralFaults_TellAllOfThem()
    {
        using var provider = new ServiceCollection().AddLeasesClient(options => options.Client = null!).Services.BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<ILeaseService>());

        Assert.Equal(
            [
                "LeaseHttpOptions.Servers is empty; name the address of a server, such as http://127.0.0.1:7400.",
                "LeaseHttpOptions.Client is null; leave it out for the defaults.",
            ],
            refused.Failures);
    }

    [Fact]
    public async Task Builder_TakesHeadersAndHandlers()
    {
        var seen = new List<string?>();
        _servers.Does("a", (request, _) =>
        {
            seen.Add($"{request.Headers.Authorization} {string.Join(',', request.Headers.GetValues("X-Tenant"))}");
            return Task.FromResult(ScriptedServer.Reply(HttpStatusCode.OK, "{}"));
        });
        var services = new ServiceCollection();
        services.AddLeasesClient(Named)
            .ConfigureHttpClient(http => http.DefaultRequestHeaders.Authorization = new("Bearer", "secret"))
            .AddHttpMessageHandler(() => new Tenant())
            .ConfigurePrimaryHttpMessageHandler(() => _servers);
        await using var provider = services.BuildServiceProvider();

        await provider.GetRequiredService<ILeaseService>().InfoAsync();

        Assert.Equal(["Bearer secret acme"], seen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Defaults_OfAllClients_AddNoRetriesHere_AndNoTimeouts(bool first)
    {
        var asked = 0;
        _servers.Does("a", (_, _) =>
        {
            asked++;
            return Task.FromResult(ScriptedServer.Reply(HttpStatusCode.ServiceUnavailable, "busy"));
        });
        var services = new ServiceCollection();
        services.AddSingleton(Configure()).AddServiceDiscovery();
        if (first) services.ConfigureHttpClientDefaults(Aspire);
        services.AddLeasesClient(options => options.Servers.Add("http://a"))
            .AddHttpMessageHandler(() => new Tenant())
            .ConfigurePrimaryHttpMessageHandler(() => _servers);
        if (!first) services.ConfigureHttpClientDefaults(Aspire);
        await using var provider = services.BuildServiceProvider();

        var handlers = HandlersOf(provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("OrleansLeases"));
        await provider.GetRequiredService<ILeaseService>().InfoAsync();

        Assert.Equal(1, asked);
        Assert.Contains(nameof(Tenant), handlers);
        Assert.Contains("ResolvingHttpDelegatingHandler", handlers);
        Assert.DoesNotContain(handlers, name => name.Contains("Resilience", StringComparison.Ordinal));
        Assert.Contains(
            HandlersOf(provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("another")),
            name => name.Contains("Resilience", StringComparison.Ordinal));

        static void Aspire(IHttpClientBuilder http)
        {
            http.AddStandardResilienceHandler();
            http.AddServiceDiscovery();
        }
    }

    [Fact]
    public async Task Calls_AreNotLogged_AndALostLeaseIs_Once()
    {
        var log = new LogBook();
        var time = new ManualTimeProvider();
        await using var engine = EmbeddedLeases.InMemory(time: time);
        var network = new Network(engine);
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new LogBooks(log)));
        services.AddSingleton<TimeProvider>(time);
        services.AddLeasesClient(Named).ConfigurePrimaryHttpMessageHandler(() => _servers);
        _servers.Answers("a", HttpStatusCode.OK, "{}");
        await using (var calling = services.BuildServiceProvider()) await calling.GetRequiredService<ILeaseService>().InfoAsync();
        Assert.Empty(log.Lines);

        services.AddSingleton<ILeaseService>(network);
        await using var provider = services.BuildServiceProvider();
        await using var lease = await provider.GetRequiredService<LeaseClient>().AcquireAsync("orders/42");
        network.FateOf = _ => Fate.Hangs;
        time.Advance(HandleFixture.Ttl);
        await Eventually.TrueAsync(() => log.Lines.Count > 0);

        var (level, message) = Assert.Single(log.Lines);
        Assert.Equal(LogLevel.Warning, level);
        Assert.Contains($"'orders/42' of '{lease.Owner}' with token {lease.Token} was lost (Expired): ", message, StringComparison.Ordinal);
        network.FateOf = _ => Fate.Passes;
    }

    [Fact]
    public async Task Handler_FollowsDnsAndNoRedirects()
    {
        var services = new ServiceCollection();
        HttpMessageHandler? handler = null;
        services.AddLeasesClient(Named).ConfigurePrimaryHttpMessageHandler((made, _) => handler = made);
        await using var provider = services.BuildServiceProvider();
        _ = provider.GetRequiredService<ILeaseService>();

        var sockets = Assert.IsType<SocketsHttpHandler>(handler);
        Assert.Equal(
            (TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(2), false),
            (sockets.PooledConnectionLifetime, sockets.ConnectTimeout, sockets.AllowAutoRedirect));
    }

    [Fact]
    public async Task Service_RegisteredAfterwards_TakesThePlaceOfTheOneOverHttp()
    {
        await using var engine = EmbeddedLeases.InMemory();
        await using var provider = Provide(Named, services => services.AddSingleton<ILeaseService>(engine));

        await using var lease = await provider.GetRequiredService<LeaseClient>().AcquireAsync("orders/42");

        Assert.Equal(LeaseStatus.Held, (await engine.GetAsync(new() { Resource = "orders/42" })).Value.State);
    }

    [Fact]
    public async Task AddLeasesClient_Again_ConfiguresTheSameClient()
    {
        _servers.Refuses("a", new Refusal.Conflict(3, "told by a"));
        var services = new ServiceCollection();
        services.AddLeasesClient(Named).AddHttpMessageHandler(() => new Tenant()).ConfigurePrimaryHttpMessageHandler(() => _servers);
        services.AddLeasesClient(Configure(("CallTimeout", "00:00:20"), ("Client:Owner", "worker-7"), ("Servers:0", "http://c")));
        await using var provider = services.BuildServiceProvider(validateScopes: true);

        var options = provider.GetRequiredService<IOptions<LeaseHttpOptions>>().Value;

        Assert.Equal(["http://a", "http://b", "http://c"], options.Servers);
        Assert.Equal(TimeSpan.FromSeconds(20), options.CallTimeout);
        Assert.Equal("worker-7", Assert.Single(provider.GetServices<LeaseClient>()).Owner);
        var service = Assert.Single(provider.GetServices<ILeaseService>());
        Assert.Equal(new Refusal.Conflict(3, "told by a"), await Requests.CallAsync("acquire", service));
        var handlers = HandlersOf(provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("OrleansLeases"));
        Assert.Single(handlers, nameof(Tenant));
    }

    [Fact]
    public async Task AddLeasesClient_Again_LeavesWhatHasTakenItsPlace()
    {
        await using var engine = EmbeddedLeases.InMemory();
        var services = new ServiceCollection();
        services.AddLeasesClient(Named);
        services.AddSingleton<ILeaseService>(engine);
        services.AddLeasesClient(options => options.CallTimeout = TimeSpan.FromSeconds(20));
        await using var provider = services.BuildServiceProvider();

        Assert.Same(engine, provider.GetRequiredService<ILeaseService>());
    }

    [Fact]
    public async Task KeyedClients_HaveTheirOwnServersAndOptions()
    {
        _servers.Refuses("a", new Refusal.Conflict(3, "told by a"));
        _servers.Refuses("billing", new Refusal.Conflict(4, "told by billing"));
        _servers.Refuses("orders", new Refusal.Conflict(5, "told by orders"));
        var services = new ServiceCollection();
        services.AddLeasesClient(Named).ConfigurePrimaryHttpMessageHandler(() => _servers);
        services.AddKeyedLeasesClient("billing", options => options.Servers.Add("http://billing"))
            .ConfigurePrimaryHttpMessageHandler(() => _servers);
        services.AddKeyedLeasesClient("orders", Configure(("Servers:0", "http://orders"), ("Client:Owner", "worker-7")))
            .ConfigurePrimaryHttpMessageHandler(() => _servers);
        services.AddSingleton<TwoServices>();
        await using var provider = services.BuildServiceProvider(validateScopes: true);

        var two = provider.GetRequiredService<TwoServices>();

        Assert.Equal(new Refusal.Conflict(3, "told by a"), await Requests.CallAsync("acquire", two.Unkeyed.Service));
        Assert.Equal(new Refusal.Conflict(4, "told by billing"), await Requests.CallAsync("acquire", two.Billing.Service));
        Assert.Equal(new Refusal.Conflict(5, "told by orders"), await Requests.CallAsync("acquire", two.Orders.Service));
        Assert.Same(provider.GetRequiredKeyedService<ILeaseService>("billing"), two.Billing.Service);
        Assert.Equal("worker-7", two.Orders.Owner);
    }

    [Fact]
    public async Task KeyedClient_AddedAgain_IsTheSame_AndABadOptionOfItNamesIt()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddKeyedLeasesClient("billing", Named);
        builder.Services.AddKeyedLeasesClient("billing", options => options.CallTimeout = TimeSpan.Zero);
        using var host = builder.Build();

        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Single(builder.Services, service => service.ServiceType == typeof(LeaseClient));
        Assert.Contains("Client 'billing': LeaseHttpOptions.CallTimeout is 00:00:00; it takes", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddLeasesClient_WhereThereIsAServiceFromElsewhere_IsRefused()
    {
        var engine = EmbeddedLeases.InMemory();
        var services = new ServiceCollection();
        services.AddSingleton<ILeaseService>(engine).AddKeyedSingleton<ILeaseService>("billing", engine);

        var unkeyed = Assert.Throws<InvalidOperationException>(() => services.AddLeasesClient(Named));
        var keyed = Assert.Throws<InvalidOperationException>(() => services.AddKeyedLeasesClient("billing", Named));

        Assert.StartsWith("The services have an ILeaseService from elsewhere.", unkeyed.Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "The services have an ILeaseService of the key 'billing' from elsewhere.", keyed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddLeasesClient_WithoutAnArgument_IsRefusedByItsName()
    {
        Assert.Throws<ArgumentNullException>("services", () => LeaseClientServiceExtensions.AddLeasesClient(null!, Named));
        Assert.Throws<ArgumentNullException>("configure", () => new ServiceCollection().AddLeasesClient((Action<LeaseHttpOptions>)null!));
        Assert.Throws<ArgumentNullException>("configuration", () => new ServiceCollection().AddLeasesClient((IConfiguration)null!));
        Assert.Throws<ArgumentException>("key", () => new ServiceCollection().AddKeyedLeasesClient("", Named));
        Assert.Throws<ArgumentNullException>("key", () => new ServiceCollection().AddKeyedLeasesClient(null!, Configure()));
    }

    private static void Named(LeaseHttpOptions options)
    {
        options.Servers.Add("http://a");
        options.Servers.Add("http://b");
    }

    private static IConfiguration Configure(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();

    private ServiceProvider Provide(Action<LeaseHttpOptions> configure, Action<IServiceCollection>? more = null)
    {
        var services = new ServiceCollection();
        services.AddLeasesClient(configure).ConfigurePrimaryHttpMessageHandler(() => _servers);
        more?.Invoke(services);
        return services.BuildServiceProvider(validateScopes: true);
    }

    private static List<string> HandlersOf(HttpMessageHandler? handler)
    {
        var names = new List<string>();
        for (; handler is DelegatingHandler outer; handler = outer.InnerHandler) names.Add(outer.GetType().Name);
        return names;
    }

    private sealed class TwoServices(
        LeaseClient unkeyed, [FromKeyedServices("billing")] LeaseClient billing, [FromKeyedServices("orders")] LeaseClient orders)
    {
        public LeaseClient Unkeyed => unkeyed;

        public LeaseClient Billing => billing;

        public LeaseClient Orders => orders;
    }

    private sealed class Tenant : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-Tenant", "acme");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
