namespace OrleansLeases.Bench.Hosts;

// The run's folder: everything the servers write lies below it, and it goes with the run.
internal sealed class Workspace : IDisposable
{
    private int _folders;

    public Workspace(string? root)
    {
        var parent = root ?? Path.GetTempPath();
        Folder = Path.Combine(parent, $"leases-bench-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Folder);
    }

    public string Folder { get; }

    public string NewFolder(string name)
    {
        var folder = Path.Combine(Folder, $"{name}-{++_folders}");
        Directory.CreateDirectory(folder);
        return folder;
    }

    public void Dispose()
    {
        if (Directory.Exists(Folder))
            Directory.Delete(Folder, recursive: true);
    }
}
