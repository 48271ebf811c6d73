using OrleansLeases.Testing;

namespace OrleansLeases.Grains.Tests.Tls;

/// <summary>The three files of one process, in a folder of their own.</summary>
internal sealed class TlsFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orleans-leases-tls-");
    private int _writes;

    public MutualTlsOptions Options => new()
    {
        Certificate = PathOf("tls.crt"), Key = PathOf("tls.key"), Authority = PathOf("ca.crt"),
    };

    /// <summary>A process of the cluster of an authority.</summary>
    public static TlsFiles Of(TestAuthority authority)
    {
        var files = new TlsFiles();
        files.Write(authority.Sign("silo"), authority.Pem);
        return files;
    }

    public void Write((string Certificate, string Key) signed, string authority)
    {
        WriteOne("tls.crt", signed.Certificate);
        WriteOne("tls.key", signed.Key);
        WriteOne("ca.crt", authority);
    }

    /// <summary>Writes one of them, at a time that none of them was written before.</summary>
    public void WriteOne(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        File.SetLastWriteTimeUtc(PathOf(name), DateTime.UnixEpoch.AddSeconds(++_writes));
    }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
