using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OrleansLeases.Testing;

/// <summary>Ports of this machine for servers that stop and listen there again.</summary>
public static class Ports
{
    private const int Lowest = 10_000;
    private const string OfClients = "/proc/sys/net/ipv4/ip_local_port_range";

    private static readonly HashSet<int> Given = [];

    /// <summary>
    /// A free port that no client gets by chance: one of those would be taken while the server is down, even by who tries
    /// to connect to it.
    /// </summary>
    public static int Free()
    {
        var below = File.Exists(OfClients)
            ? int.Parse(File.ReadAllText(OfClients).Split('\t', ' ')[0], CultureInfo.InvariantCulture)
            : 32_768;
        lock (Given)
        {
            while (true)
            {
                // Where clients get nearly all ports, there is nothing better than a guess.
                var port = Random.Shared.Next(Lowest, below > Lowest + 1000 ? below : 65_536);
                if (IsFree(port) && Given.Add(port)) return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
