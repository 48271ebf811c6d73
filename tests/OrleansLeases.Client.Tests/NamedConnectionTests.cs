using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansLeases.Client.Tests.Support;

namespace OrleansLeases.Client.Tests;

/// <summary>A client that finds its connection in the configuration by a name, as those of Aspire's do.</summary>
public sealed class NamedConnectionTests
{
    private const string Section = "Aspire:OrleansLeases:Client";

    [Theory]
    [InlineData("http://a:7400", "http://a:7400", null, null)]
    [InlineData("http://a:7400, https://b/leases", "http://a:7400 https://b/leases", null, null)]
    [InlineData("Servers=http://a:7400;Token=c2VjcmV0==", "http://a:7400", "c2VjcmV0==", null)]
    [InlineData("servers=http://a,http://b;tokenfile='/run/secrets/a;b'", "http://a http://b", null, "/run/secrets/a;b")]
    public void ConnectionString_IsAddresses_OrPairs(string text, string servers, string? token, string? tokenFile)
    {
        var options = OptionsOf(builder => builder.AddLeasesClient("leases"), ("ConnectionStrings:leases", text));

        Assert.Equal(servers.Split(' '), options.Servers);
        Assert.Equal((token, tokenFile), (options.Token, options.TokenFile));
    }

    [Fact]
    public void Sections_HaveTheOtherOptions_ThatOfTheConnectionFirst()
    {
        var options = OptionsOf(
            builder => builder.AddLeasesClient("leases"),
            ($"{Section}:Servers:0", "http://of-all-0"), ($"{Section}:Servers:1", "http://of-all-1"),
            ($"{Section}:CallTimeout", "00:00:10"), ($"{Section}:ConnectTimeout", "00:00:01"), ($"{Section}:Client:Owner", "worker-7"),
            ($"{Section}:TokenFile", "/of/all"), ($"{Section}:leases:Token", "own"), ($"{Section}:leases:CallTimeout", "00:00:20"),
            ($"{Section}:leases:Servers:0", "http://own"), ($"{Section}:billing:ConnectTimeout", "00:00:02"));

        Assert.Equal(["http://own"], options.Servers);
        Assert.Equal(("own", null), (options.Token, options.TokenFile));
        Assert.Equal((TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1)), (options.CallTimeout, options.ConnectTimeout));
        Assert.Equal("worker-7", options.Client.Owner);
    }

    [Fact]
    public void ConnectionString_GoesBeforeTheSections_AndTheApplicationBeforeAll()
    {
        var options = OptionsOf(
            builder => builder.AddLeasesClient("leases", options => options.CallTimeout = TimeSpan.FromSeconds(30)),
            ("ConnectionStrings:leases", "Servers=http://a;TokenFile=/a"), ($"{Section}:leases:Servers:0", "http://own"),
            ($"{Section}:leases:Servers:1", "http://own-1"), ($"{Section}:leases:Token", "own"),
            ($"{Section}:leases:CallTimeout", "00:00:20"));

        Assert.Equal(["http://a"], options.Servers);
        Assert.Equal((null, "/a", TimeSpan.FromSeconds(30)), (options.Token, options.TokenFile, options.CallTimeout));
    }

    [Fact]
    public async Task KeyedClients_HaveAConnectionEach()
    {
        var servers = new ScriptedServers();
        servers.Refuses("a", new Refusal.Conflict(3, "told by a"));
        servers.Refuses("b", new Refusal.Conflict(4, "told by b"));
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddLeasesClient("leases").ConfigurePrimaryHttpMessageHandler(() => servers);
        builder.AddKeyedLeasesClient("billing").ConfigurePrimaryHttpMessageHandler(() => servers);
        // Such as by a test that replaces what the application was configured with.
        builder.Configuration.AddInMemoryCollection(
            [new("ConnectionStrings:leases", "http://a"), new("ConnectionStrings:billing", "http://b")]);
        using var host = builder.Build();
        await host.StartAsync();

        Assert.Equal(
            new Refusal.Conflict(3, "told by a"), await Requests.CallAsync("acquire", host.Services.GetRequiredService<ILeaseService>()));
        Assert.Equal(
            new Refusal.Conflict(4, "told by b"),
            await Requests.CallAsync("acquire", host.Services.GetRequiredKeyedService<ILeaseService>("billing")));
    }

    [Theory]
    [InlineData(
        "ConnectionStrings:other", "http://a",
        "ConnectionStrings:leases is not set, and nor is Aspire:OrleansLeases:Client:Servers: reference the resource in the app host")]
    [InlineData("ConnectionStrings:leases", "leases:7400", "LeaseHttpOptions.Servers[0] is 'leases:7400'; write an absolute http")]
    [InlineData(
        "ConnectionStrings:leases", "Endpoint=http://a;Token=secret",
        "ConnectionStrings:leases has a name besides Servers, Token and TokenFile; write addresses such as http://a:7400,http://b:7400")]
    [InlineData("ConnectionStrings:leases", "secret;Servers=http://a", "ConnectionStrings:leases has a name besides Servers")]
    [InlineData("ConnectionStrings:leases", "Servers=http://a;Token='secret", "ConnectionStrings:leases cannot be read; write addresses")]
    [InlineData("ConnectionStrings:leases", "Servers=http://a;Token=my secret", "LeaseHttpOptions.Token is no bearer token")]
    [InlineData($"{Section}:CallTimout", "00:00:10", "'CallTimout'")]
    [InlineData($"{Section}:leases:CallTimeout", "soon", "'soon' at 'Aspire:OrleansLeases:Client:leases:CallTimeout'")]
    public async Task BadConfiguration_StopsTheStart_AndSaysWhatToWrite(string name, string value, string message)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new(name, value)]);
        builder.AddLeasesClient("leases");
        using var host = builder.Build();

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync());

        Assert.True(
            refused is OptionsValidationException or InvalidOperationException, $"{refused.GetType()} is no error of configuration.");
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message.Replace("/run/secrets", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_AreNeeded()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        Assert.Throws<ArgumentNullException>("builder", () => ((IHostApplicationBuilder)null!).AddLeasesClient("leases"));
        Assert.Throws<ArgumentException>("connectionName", () => builder.AddLeasesClient(""));
        Assert.Throws<ArgumentException>("name", () => builder.AddKeyedLeasesClient(""));
    }

    private static LeaseHttpOptions OptionsOf(Action<IHostApplicationBuilder> add, params (string Name, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
        add(builder);
        using var host = builder.Build();
        return host.Services.GetRequiredService<IOptions<LeaseHttpOptions>>().Value;
    }
}
