namespace OrleansLeases.Torture;

/// <summary>A data folder of its own for a test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orleans-leases-");

    public string Path => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);
}
