using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace OrleansLeases.Silo;

/// <summary>Where the other silos reach this one, unless it is configured.</summary>
internal static class OwnAddress
{
    /// <summary>The addresses of this machine.</summary>
    public static IEnumerable<IPAddress> All() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        where network.OperationalStatus == OperationalStatus.Up
        from address in network.GetIPProperties().UnicastAddresses
        select address.Address;

    /// <summary>Sees to it that there is one.</summary>
    /// <param name="addresses">The machine's.</param>
    /// <exception cref="SettingsException">There is none.</exception>
    public static void Check(IEnumerable<IPAddress> addresses)
    {
        if (addresses.Any(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address))) return;
        throw new SettingsException(
            "This machine has no IPv4 address but that of loopback, so the other silos would not find this one. Connect "
                + "it to their network, "
            + "or set Cluster:AdvertisedAddress (LEASES_Cluster__AdvertisedAddress): to 127.0.0.1 where all silos are on this machine.");
    }
}
