using Microsoft.Data.Sqlite;
using OrleansLeases.Core;
using SQLitePCL;

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

/// <summary>What a restore did.</summary>
/// <param name="Epoch">The new restore epoch.</param>
/// <param name="Aside">The folder that now has the database that was there; null where there was none.</param>
public sealed record DataFolderRestore(int Epoch, string? Aside);

/// <summary>Backup, restore and epoch of a folder with the leases of one machine. Thread-safe.</summary>
public static class DataFolder
{
    /// <summary>Reads the restore epoch, whether or not a server runs.</summary>
    /// <param name="folder">The data folder.</param>
    /// <returns>The epoch, 0 to 8,191.</returns>
    /// <exception cref="DirectoryNotFoundException">There are no leases in the folder.</exception>
    /// <exception cref="InvalidDataException">What is there is somebody else's or of a newer version.</exception>
    /// <exception cref="IOException">It is damaged, or cannot be read.</exception>
    public static int ReadEpoch(string folder) =>
        Told(folder, () => (int)(LeaseDatabase.Inspect(HeldFolder.DatabaseOf(folder)) ?? throw None(folder)).Epoch);

    /// <summary>
    /// Makes every later token greater than any before: to be done once after a backup was restored by hand, since tokens
    /// granted after the backup was made are not in it. Where the folder has lost records, this accepts the loss.
    /// </summary>
    /// <param name="folder">The data folder; no server may be running on it.</param>
    /// <returns>The new epoch.</returns>
    /// <exception cref="DirectoryNotFoundException">There are no leases in the folder.</exception>
    /// <exception cref="DataFolderInUseException">A server is running.</exception>
    /// <exception cref="InvalidDataException">What is there is somebody else's or of a newer version.</exception>
    /// <exception cref="IOException">It is damaged, or cannot be read or written.</exception>
    /// <exception cref="InvalidOperationException">The epochs are used up.</exception>
    public static int BumpEpoch(string folder)
    {
        if (!Directory.Exists(folder)) throw None(folder);
        return Told(folder, () =>
        {
            var file = HeldFolder.DatabaseOf(folder);
            // Looked at first: what is not ours is not even locked.
            var stored = LeaseDatabase.Inspect(file);
            if (stored is null && !File.Exists(FolderMark.FileOf(folder))) throw None(folder);
            using var held = HeldFolder.Take(folder);
            stored = LeaseDatabase.Inspect(file);
            var epoch = NextEpoch(stored?.Epoch, FolderMark.Known(folder)?.Epoch);
            held.MakeDatabase();
            using var connection = LeaseDatabase.Open(file);
            LeaseDatabase.Prepare(connection);
            LeaseDatabase.Execute(connection, $"UPDATE meta SET value = {epoch} WHERE name = 'epoch'");
            FolderMark.Replace(held.Folder, LeaseDatabase.ReadState(connection));
            return epoch;
        });
    }

    /// <summary>Writes a verified copy of a folder's database, as it is at one moment, whether or not a server runs.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="file">The file to make; its folder has to exist, it must not.</param>
    /// <exception cref="DirectoryNotFoundException">There are no leases in the folder.</exception>
    /// <exception cref="InvalidDataException">What is there is somebody else's or of a newer version, or the copy is damaged.</exception>
    /// <exception cref="IOException">It is damaged or cannot be read, or the file exists or cannot be written.</exception>
    public static void BackUp(string folder, string file) => Told(folder, () =>
    {
        FolderCopies.BackUp(folder, file);
        return true;
    });

    /// <summary>
    /// Puts a backup into a folder and raises the restore epoch, so that every later token is greater than any before. The previous
    /// database is kept aside in the folder. A lease that was granted after the backup was made is not in it: start the server only when
    /// the longest time to live in use has passed since the last one stopped.
    /// </summary>
    /// <param name="file">The backup, which is verified first and left as it is.</param>
    /// <param name="folder">The data folder, made where it does not exist; no server may be running on it.</param>
    /// <param name="time">Names the folder that keeps what was there; the system's clock where left out.</param>
    /// <returns>The new epoch, and the folder of the previous database.</returns>
    /// <exception cref="DataFolderInUseException">A server is running.</exception>
    /// <exception cref="InvalidDataException">The backup is no lease database, damaged or of a newer version.</exception>
    /// <exception cref="IOException">The backup cannot be read, or the folder cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The epochs are used up.</exception>
    public static DataFolderRestore Restore(string file, string folder, TimeProvider? time = null) =>
        Told(file, () => FolderCopies.Restore(file, folder, time ?? TimeProvider.System));

    /// <summary>Runs what opens a folder's database, and words what SQLite says about it.</summary>
    internal static T Told<T>(string folder, Func<T> open)
    {
        try
        {
            return open();
        }
        catch (SqliteException error) when (error.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB)
        {
            throw new IOException(
                $"The lease database in '{folder}' is damaged, or no database: {error.Message.TrimEnd('.')}. Restore a backup with "
                    + $"`leases restore FILE`.", error);
        }
        catch (SqliteException error)
        {
            throw new IOException($"The lease database in '{folder}' cannot be opened: {error.Message}", error);
        }
    }

    internal static int NextEpoch(params long?[] seen)
    {
        var epoch = (int)seen.Max()!;
        return epoch < LeaseRules.MaxEpoch ? epoch + 1 : throw new InvalidOperationException($"The epoch is {epoch}, the last there is.");
    }

    internal static DirectoryNotFoundException None(string folder) => new(
        File.Exists(FolderMark.FileOf(folder))
            ? $"The leases in '{folder}' are gone: leases.db is missing or empty. Restore a backup with `leases restore FILE`, or run "
                + $"`leases epoch bump`."
            : $"There are no leases in '{folder}': leases.db is missing or empty.");
}
