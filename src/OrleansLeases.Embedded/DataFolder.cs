using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>Another process has the data folder.</summary>
public sealed class DataFolderInUseException : IOException
{
    /// <summary>Names the folder and the remedy.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="cause">How it was noticed.</param>
    public DataFolderInUseException(string folder, Exception cause)
        : base($"The data folder '{folder}' is in use by another process. Stop that process, or name another folder.", cause)
    {
    }
}

/// <summary>A folder with the leases of one machine. One process at a time has it.</summary>
public static class DataFolder
{
    // What the system says where another process has the lock: EWOULDBLOCK on Linux, and on Windows.
    private const int WouldBlock = 11;
    private const int SharingViolation = unchecked((int)0x80070020);

    /// <summary>Reads the restore epoch, whether or not a server runs.</summary>
    /// <param name="folder">The data folder.</param>
    /// <returns>The epoch, 0 to 8,191.</returns>
    /// <exception cref="DirectoryNotFoundException">There are no leases in the folder.</exception>
    public static int ReadEpoch(string folder)
    {
        using var connection = LeaseDatabase.Open(Existing(folder), readOnly: true);
        return (int)LeaseDatabase.ReadMeta(connection, "epoch");
    }

    /// <summary>
    /// Makes every later token greater than any before: to be done once after a backup was restored, since tokens
    /// granted after the backup was made are not in it.
    /// </summary>
    /// <param name="folder">The data folder; no server may be running on it.</param>
    /// <returns>The new epoch.</returns>
    /// <exception cref="DirectoryNotFoundException">There are no leases in the folder.</exception>
    /// <exception cref="DataFolderInUseException">A server is running.</exception>
    /// <exception cref="InvalidOperationException">The epochs are used up.</exception>
    public static int BumpEpoch(string folder)
    {
        var file = Existing(folder);
        using var held = Take(folder);
        using var connection = LeaseDatabase.Open(file);
        LeaseDatabase.Prepare(connection);
        var epoch = (int)LeaseDatabase.ReadMeta(connection, "epoch");
        if (epoch >= LeaseRules.MaxEpoch) throw new InvalidOperationException($"The epoch is {epoch}, the last there is.");
        LeaseDatabase.Execute(connection, "UPDATE meta SET value = value + 1 WHERE name = 'epoch'");
        return epoch + 1;
    }

    internal static string DatabaseFile(string folder) => Path.Combine(folder, "leases.db");

    /// <summary>Takes the folder for this process until the stream is closed; the system lets go of it when the process dies.</summary>
    internal static FileStream Take(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            return new FileStream(Path.Combine(folder, "leases.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error.HResult is WouldBlock or SharingViolation)
        {
            throw new DataFolderInUseException(folder, error);
        }
    }

    private static string Existing(string folder)
    {
        var file = DatabaseFile(folder);
        return File.Exists(file) ? file : throw new DirectoryNotFoundException($"There are no leases in '{folder}': it has no leases.db.");
    }
}
