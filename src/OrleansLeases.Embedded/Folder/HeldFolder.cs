namespace OrleansLeases.Embedded;

/// <summary>
/// A data folder that this process has to itself: the system lets go of it when the process dies. It stays held for as long as
/// the files at its path are the ones that were opened; once they are not, another process can have them, and nothing may be
/// granted any more. Thread-safe.
/// </summary>
internal sealed class HeldFolder : IDisposable
{
    // What the system says where another process has the lock: EWOULDBLOCK on Linux, and on Windows.
    private const int WouldBlock = 11;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream _lock;
    private (string Path, FileIdentity Identity)[] _files = [];
    private readonly TaskCompletionSource<string> _lost = new();

    private HeldFolder(string folder, FileStream taken) => (Folder, _lock) = (folder, taken);

    public string Folder { get; }

    public string Database => DatabaseOf(Folder);

    /// <summary>Ends once the folder is not ours any more, with the reason and the remedy.</summary>
    public Task<string> Lost => _lost.Task;

    public static string DatabaseOf(string folder) => Path.Combine(folder, "leases.db");

    /// <summary>Makes the folder where it is missing, closes it to other users, and takes it.</summary>
    /// <exception cref="DataFolderInUseException">Another process has it.</exception>
    /// <exception cref="IOException">It cannot be made or taken.</exception>
    public static HeldFolder Take(string folder)
    {
        folder = Path.GetFullPath(folder);
        PrivateFile.CreateFolder(folder);
        var lockFile = Path.Combine(folder, "leases.lock");
        if (Directory.Exists(lockFile)) throw new IOException($"'{lockFile}' is a folder and has to be a file. Remove it.");
        Narrow(folder);
        FileStream taken;
        try
        {
            taken = PrivateFile.Open(lockFile, FileMode.OpenOrCreate, FileShare.None);
        }
        catch (IOException error) when (error.HResult is WouldBlock or SharingViolation)
        {
            throw new DataFolderInUseException(folder, error);
        }

        var held = new HeldFolder(folder, taken);
        // Somebody may have removed the file between its opening and the lock: then that lock keeps nobody out.
        if (FileIdentity.Of(taken.SafeFileHandle) is { } identity && FileIdentity.Of(lockFile) == identity) return held;
        held.Dispose();
        throw new IOException($"'{lockFile}' was replaced while it was being opened. Leave the folder alone, and start again.");
    }

    /// <summary>Looks at what the folder has before it is opened for writing.</summary>
    /// <exception cref="InvalidDataException">
    /// It is not ours, not readable, written by a newer version, or less than what the folder knows was granted.
    /// </exception>
    public void Admit()
    {
        var stored = LeaseDatabase.Inspect(Database);
        if (FolderMark.Read(Folder) is not { } known) return;
        if (stored is null) throw Less("leases.db is missing or empty");
        if (stored.Value.Store != known.Store) throw Less("leases.db is not the one that was here, but another");
        if (stored.Value.Epoch < known.Epoch) throw Less($"leases.db is of epoch {stored.Value.Epoch}, before {known.Epoch}");
        if (stored.Value.Change < known.Change)
            throw Less(
                $"leases.db and its log end at change {stored.Value.Change} of {known.Change}: {known.Change
                    - stored.Value.Change} are missing");
    }

    /// <summary>Makes an empty database file where there is none, so that SQLite makes none that others may open.</summary>
    public void MakeDatabase()
    {
        if (!File.Exists(Database)) PrivateFile.Create(Database).Dispose();
    }

    /// <summary>From here on the files at the path have to be the ones that are there now, and open.</summary>
    /// <exception cref="IOException">One is gone already.</exception>
    public void Remember() =>
        _files = [.. new[] { _lock.Name, Database, $"{Database}-wal", $"{Database}-shm" }.Select(file => (file, FileIdentity.Of(file)
            ?? throw new IOException($"'{file}' has vanished while it was being opened. Leave the folder alone, and start again.")))];

    /// <summary>Whether the files at the path are still ours. Once they were not, they never are again.</summary>
    public bool IsOurs()
    {
        if (_lost.Task.IsCompleted) return false;
        foreach (var (path, identity) in _files)
        {
            if (FileIdentity.Of(path) == identity) continue;
            _lost.TrySetResult(
                $"'{path}' was removed, moved or replaced under this server. Nothing is granted or renewed any more, since "
                    + $"another server may "
                + $"grant the same. Stop it, see that '{Folder}' has what it should, or restore a backup, and start again.");
            return false;
        }

        return true;
    }

    public void Dispose() => _lock.Dispose();

    // A folder is narrowed where it is for leases alone: it may as well be somebody's home. The files are closed in any case.
    private static void Narrow(string folder)
    {
        var ours = new[] { "leases.lock", "leases.db", "leases.db-wal", "leases.db-shm", "leases.mark" };
        foreach (var file in ours) PrivateFile.Narrow(Path.Combine(folder, file));
        bool IsOurs(string name) => ours.Contains(name) || name.StartsWith("before-restore-", StringComparison.Ordinal);
        if (Directory.EnumerateFileSystemEntries(folder).All(entry => IsOurs(Path.GetFileName(entry)))) PrivateFile.Narrow(folder);
    }

    private InvalidDataException Less(string what) => new(
        $"{what}, though the folder '{Folder}' has been used: tokens would be granted twice. Restore a backup with "
        + "`leases restore FILE`, or, to go on without what is lost, run `leases epoch bump`.");
}
