namespace OrleansLeases.Embedded.Tests.Disk;

/// <summary>
/// What a folder's disk holds beside what its processes see. A write is in the system's cache until a sync puts it on the
/// disk. A sync that fails leaves it in the cache and takes it for written, as Linux does: it gets to the disk only if it is
/// written again (https://wiki.postgresql.org/wiki/Fsync_Errors).
/// </summary>
internal sealed class UnreliableDisk : IDisposable
{
    private readonly string _folder;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Content> _files = [];

    public UnreliableDisk(string folder)
    {
        _folder = folder;
        SqliteVfs.Attach(folder, this);
    }

    /// <summary>How many of the next syncs fail.</summary>
    public int FailingSyncs { get; set; }

    /// <summary>
    /// How often it has lost the files that were open: no sync of those succeeds any more, as on a network drive that came back.
    /// </summary>
    public int Losses { get; set; }

    /// <summary>The folder as a process finds it after the last one was killed: all that was written, on this disk.</summary>
    public UnreliableDisk AfterAKill(string folder)
    {
        lock (_gate)
        {
            CopyFiles(folder, isCopied: static _ => true);
            var copy = new UnreliableDisk(folder);
            foreach (var (path, content) in _files) copy._files[Path.Combine(folder, Path.GetFileName(path))] = content.Copy();
            return copy;
        }
    }

    /// <summary>The folder after a loss of power: what was on the disk.</summary>
    public void AfterALossOfPower(string folder)
    {
        lock (_gate)
        {
            CopyFiles(folder, isCopied: file => !_files.ContainsKey(file));
            foreach (var (path, content) in _files) File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(path)), content.OnDisk);
        }
    }

    public void Written(string path, long offset, byte[] data)
    {
        lock (_gate) ContentOf(path).Cached.Add((offset, data));
    }

    public void Truncated(string path, long length)
    {
        lock (_gate) ContentOf(path).Cached.Add((length, null));
    }

    public bool Synced(string path)
    {
        lock (_gate)
        {
            var content = ContentOf(path);
            if (FailingSyncs == 0) content.PutOnDisk();
            content.Cached.Clear();
            return FailingSyncs == 0 || --FailingSyncs < 0;
        }
    }

    public void Deleted(string path)
    {
        lock (_gate) _files.Remove(path);
    }

    public void Dispose() => SqliteVfs.Detach(_folder);

    // A lock ends with its process, and the index of the log is of no use without one.
    private void CopyFiles(string folder, Predicate<string> isCopied)
    {
        foreach (var file in Directory.GetFiles(_folder))
        {
            if (isCopied(file) && !file.EndsWith(".lock", StringComparison.Ordinal) && !file.EndsWith("-shm", StringComparison.Ordinal))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
    }

    private Content ContentOf(string path)
    {
        if (!_files.TryGetValue(path, out var content)) _files[path] = content = new();
        return content;
    }

    private sealed class Content
    {
        public byte[] OnDisk { get; private set; } = [];

        /// <summary>Writes, and truncations without data, that a sync is to put on the disk.</summary>
        public List<(long Offset, byte[]? Data)> Cached { get; private init; } = [];

        public Content Copy() => new() { OnDisk = [.. OnDisk], Cached = [.. Cached] };

        public void PutOnDisk()
        {
            var content = OnDisk;
            foreach (var (offset, data) in Cached)
            {
                var end = (int)offset + (data?.Length ?? 0);
                if (data is null || end > content.Length) Array.Resize(ref content, end);
                data?.CopyTo(content, offset);
            }

            OnDisk = content;
        }
    }
}
