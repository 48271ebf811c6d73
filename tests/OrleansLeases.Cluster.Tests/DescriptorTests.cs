using System.Globalization;
using System.Net.Sockets;
using OrleansLeases.Client;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>A silo with few descriptors lives through more connections than it has room for, and serves after they are gone.</summary>
public sealed class DescriptorTests
{
    [Fact]
    public async Task Silo_WithMoreConnectionsThanDescriptors_LivesAndServesAfterThem()
    {
        await using var silo = ListeningProcess.Start(
            "/bin/sh",
            ["-c", "ulimit -n 512; exec \"$0\" \"$@\"", Path.Combine(AppContext.BaseDirectory, "leases-silo")],
            new Dictionary<string, string>
            {
                ["LEASES_Urls"] = "http://127.0.0.1:0",
                ["LEASES_Cluster__SiloPort"] = Ports.Free().ToString(CultureInfo.InvariantCulture),
                ["LEASES_Cluster__GatewayPort"] = Ports.Free().ToString(CultureInfo.InvariantCulture),
            });
        var address = new Uri(await silo.AddressAsync());

        // Before the first request: nothing that only a request needs has been loaded yet.
        var flood = new List<Socket>();
        for (var i = 0; i < 900; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            flood.Add(socket);
            try
            {
                await socket.ConnectAsync(address.Host, address.Port);
            }
            catch (SocketException)
            {
                // Turned away so soon.
            }
        }

        await SaysAsync("ulimit -n");
        foreach (var socket in flood) socket.Dispose();
        await SaysAsync("Connections are taken again");

        using var http = new HttpClient { BaseAddress = address };
        var leases = new HttpLeaseService(http) { CallTimeout = Eventually.WaitTimeout };
        Assert.Null(
            (await leases.AcquireAsync(new AcquireRequest { Resource = "r", Owner = "ann", Ttl = TimeSpan.FromSeconds(30) })).Refusal);
        Assert.Null((await leases.ListAsync(new ListLeasesRequest())).Refusal);
        Assert.False(silo.HasExited, silo.Error);

        Task SaysAsync(string word) => Eventually.TrueAsync(
            () => Task.FromResult(silo.HasExited || silo.Error.Contains(word, StringComparison.Ordinal)),
            () => $"It never said '{word}': {silo.Error}");
    }
}
