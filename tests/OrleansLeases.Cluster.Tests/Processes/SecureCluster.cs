using OrleansLeases.Testing;

namespace OrleansLeases.Cluster.Tests.Processes;

/// <summary>Two silos that talk to each other, and to Orleans clients, by mutual TLS. The tests leave them as they found them.</summary>
public sealed class SecureCluster : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orleans-leases-secure-");

    /// <summary>Who signs for it.</summary>
    public TestAuthority Authority { get; } = new("Cluster");

    /// <summary>Who signs for somebody else.</summary>
    public TestAuthority OtherAuthority { get; } = new("Others");

    internal LeaseCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var tls = Write("silo", Authority.Sign("first"), Authority.Pem);
        Cluster = await LeaseCluster.StartAsync(silos: 2, settings: [.. tls.Settings.Select(setting => (setting.Name, setting.Value!))]);
    }

    public async Task DisposeAsync()
    {
        await Cluster.DisposeAsync();
        Authority.Dispose();
        OtherAuthority.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>Writes the files of a process.</summary>
    internal TlsFiles Write(string process, (string Certificate, string Key) signed, string authority)
    {
        var files = new TlsFiles(
            Path.Combine(_folder.FullName, $"{process}.crt"), Path.Combine(_folder.FullName, $"{process}.key"),
            Path.Combine(_folder.FullName, $"{process}.ca.crt"));
        File.WriteAllText(files.Certificate, signed.Certificate);
        File.WriteAllText(files.Key, signed.Key);
        File.WriteAllText(files.Authority, authority);
        return files;
    }

    /// <summary>What a process shows and whom it believes.</summary>
    internal sealed record TlsFiles(string Certificate, string Key, string Authority)
    {
        public (string Name, string? Value)[] Settings =>
        [
            ("Cluster__Tls__Certificate", Certificate), ("Cluster__Tls__Key", Key), ("Cluster__Tls__Authority", Authority),
        ];
    }
}
