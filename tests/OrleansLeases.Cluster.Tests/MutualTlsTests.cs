using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime.Messaging;
using OrleansLeases.Cluster.Tests.Processes;
using OrleansLeases.Grains;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>Silos and Orleans clients of one authority are a cluster; nobody else joins it or calls it.</summary>
[Collection(OnSecureCluster.Name)]
public sealed class MutualTlsTests(SecureCluster secure)
{
    [Fact]
    public async Task Silos_OfOneAuthority_AreOneService()
    {
        var silos = secure.Cluster.Silos;
        // Grains of some names are at the one silo, those of others at the other.
        var names = Enumerable.Range(0, 16).Select(number => $"silos/{number}").ToArray();
        foreach (var name in names) await EventuallyAsync(silos[0].Leases, Ask(name), refusal => refusal is null);
        foreach (var name in names) await EventuallyAsync(silos[1].Leases, Ask(name, "other"), refusal => refusal is Refusal.Held);

        // On a busy machine a store of silos that have just started may answer too late.
        static async Task EventuallyAsync(ILeaseService leases, AcquireRequest request, Predicate<Refusal?> isExpected)
        {
            Refusal? refusal = null;
            await Eventually.TrueAsync(
                async () => isExpected(refusal = (await leases.AcquireAsync(request with { RequestId = request.Owner })).Refusal),
                () => $"'{request.Resource}' was refused to {request.Owner}: {refusal?.ToString() ?? "it was granted"}.");
        }
    }

    [Fact]
    public async Task Client_OfTheAuthority_Calls()
    {
        using var client = await ConnectAsync(UseTls(secure.Write("client", secure.Authority.Sign("client"), secure.Authority.Pem)));

        var granted = await client.Services.GetRequiredService<ILeaseService>().AcquireAsync(Ask("client"));

        Assert.Null(granted.Refusal);
        await client.StopAsync();
    }

    [Fact]
    public async Task Client_WithoutACertificateOfTheAuthority_DoesNotConnect()
    {
        var both = $"{secure.Authority.Pem}\n{secure.OtherAuthority.Pem}";
        var others = secure.Write("other-client", secure.OtherAuthority.Sign("client"), both);

        await Assert.ThrowsAsync<ConnectionFailedException>(() => ConnectAsync(UseTls(others)));
        await Assert.ThrowsAsync<ConnectionFailedException>(() => ConnectAsync(_ => { }));
        await Assert.ThrowsAsync<ConnectionFailedException>(
            () => ConnectAsync(client => client.UseTls(tls => tls.AllowAnyRemoteCertificate())));
    }

    [Fact]
    public async Task Silo_WithoutACertificateOfTheAuthority_DoesNotJoin()
    {
        var both = $"{secure.Authority.Pem}\n{secure.OtherAuthority.Pem}";
        var others = secure.Write("other-silo", secure.OtherAuthority.Sign("silo"), both).Settings.ToArray();
        var none = others.Select(setting => (setting.Name, (string?)null)).ToArray();

        await Task.WhenAll(AssertDoesNotJoinAsync(none), AssertDoesNotJoinAsync(others));

        foreach (var silo in secure.Cluster.Silos) Assert.Equal(HttpStatusCode.OK, (await silo.ReadyAsync()).Status);
        Assert.Equal(2L, await CountAsync("Status = 3"));

        async Task AssertDoesNotJoinAsync((string, string?)[] settings)
        {
            var port = Ports.Free();
            await using var silo = BeginSilo([("Cluster__SiloPort", $"{port}"), .. settings]);
            await Eventually.TrueAsync(
                () => silo.HasExited || silo.Error.Contains("ping responses from 2 of 2 active silos", StringComparison.Ordinal),
                () => $"It has not tried: {silo.Error}");
            Assert.False(silo.HasExited, silo.Error);
            Assert.Equal(0L, await CountAsync($"Port = {port} and Status = 3"));
        }
    }

    [Fact]
    public async Task Silo_WithFilesThatCannotBeUsed_SaysWhy()
    {
        var others = secure.Write("wrong", secure.OtherAuthority.Sign("silo"), secure.Authority.Pem);
        await using var start = BeginSilo([("Cluster__SiloPort", $"{Ports.Free()}"), .. others.Settings]);

        Assert.Equal(1, await start.ExitCodeAsync());
        Assert.StartsWith("leases-silo: Cluster:Tls:Certificate is '", start.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", start.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificate_ThatIsRenewed_IsShownWithoutARestart()
    {
        var files = secure.Write("asks", secure.Authority.Sign("asks"), secure.Authority.Pem);
        using var shown = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        var silo = secure.Cluster.Silos[0];
        foreach (var port in new[] { silo.SiloPort, silo.GatewayPort }) Assert.NotEqual("CN=second", await ShownAsync(port, shown));

        secure.Write("silo", secure.Authority.Sign("second"), secure.Authority.Pem);

        foreach (var port in new[] { silo.SiloPort, silo.GatewayPort })
            await Eventually.TrueAsync(async () => await ShownAsync(port, shown) == "CN=second", () => "It shows the old one.");
    }

    private static AcquireRequest Ask(string resource, string owner = "ann") =>
        new() { Resource = resource, Owner = owner, Ttl = LeaseCluster.LongestTtl };

    private static async Task<string> ShownAsync(int port, X509Certificate2 certificate)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, port);
        await using var stream = new SslStream(connection.GetStream());
        var shown = "";
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            ClientCertificates = [certificate],
            RemoteCertificateValidationCallback = (_, theirs, _, _) => (shown = theirs!.Subject).Length > 0,
        });
        return shown;
    }

    private static Action<IClientBuilder> UseTls(SecureCluster.TlsFiles files) => client => client.UseMutualTls(
        tls => (tls.Certificate, tls.Key, tls.Authority) = (files.Certificate, files.Key, files.Authority));

    private async Task<IHost> ConnectAsync(Action<IClientBuilder> configure)
    {
        var host = new HostBuilder().UseOrleansClient(client =>
        {
            client
                .UseStaticClustering(new IPEndPoint(IPAddress.Loopback, secure.Cluster.Silos[0].GatewayPort))
                .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = ("leases", "leases"))
                .UseConnectionRetryFilter((_, _) => Task.FromResult(false))
                .AddLeases();
            configure(client);
        }).Build();
        try
        {
            await host.StartAsync();
            return host;
        }
        catch (Exception)
        {
            host.Dispose();
            throw;
        }
    }

    private ListeningProcess BeginSilo((string, string?)[] settings) => secure.Cluster.Silos[0].BeginBeside(
        [("Urls", "http://127.0.0.1:0"), ("Cluster__GatewayPort", $"{Ports.Free()}"), .. settings]);

    private async Task<long> CountAsync(string condition)
    {
        await using var command = secure.Cluster.Database.CreateCommand($"select count(*) from OrleansMembershipTable where {condition}");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
