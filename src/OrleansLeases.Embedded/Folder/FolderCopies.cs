using System.Globalization;
using Microsoft.Data.Sqlite;

namespace OrleansLeases.Embedded;

/// <summary>Copies a database out of a folder that may be in use, and back into one that is not.</summary>
internal static class FolderCopies
{
    /// <summary>Writes a copy of the folder's database, as it is at one moment, into a new file.</summary>
    public static void BackUp(string folder, string file)
    {
        var database = HeldFolder.DatabaseOf(folder);
        _ = LeaseDatabase.Inspect(database) ?? throw DataFolder.None(folder);
        file = Path.GetFullPath(file);
        RefuseToOverwrite(file);
        var unfinished = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            using (var source = LeaseDatabase.Open(database, readOnly: true)) Copy(source, unfinished);
            Publish(unfinished, file);
        }
        finally
        {
            Remove(unfinished);
        }

        FileIdentity.SyncFolder(Path.GetDirectoryName(file)!);
    }

    /// <summary>Puts a backup into a folder, in an epoch of its own, and keeps aside what was there.</summary>
    public static DataFolderRestore Restore(string file, string folder, TimeProvider time)
    {
        if (!File.Exists(file)) throw new FileNotFoundException($"There is no backup '{file}'.");
        var backup = LeaseDatabase.Inspect(Path.GetFullPath(file))
            ?? throw new InvalidDataException($"'{file}' is empty; it is no backup.");
        using var held = HeldFolder.Take(folder);
        var unfinished = Path.Combine(held.Folder, "leases.restoring");
        Remove(unfinished);
        try
        {
            using (var source = LeaseDatabase.Open(Path.GetFullPath(file), readOnly: true)) Copy(source, unfinished);
            var epoch = DataFolder.NextEpoch(backup.Epoch, FolderMark.Known(held.Folder)?.Epoch, EpochOf(held.Database));
            FolderState state;
            using (var made = LeaseDatabase.Open(unfinished))
            {
                LeaseDatabase.Prepare(made);
                LeaseDatabase.Execute(
                    made,
                    $"UPDATE meta SET value = {epoch} WHERE name = 'epoch'; UPDATE meta SET value = random() & 0x7FFFFFFFFFFFFFFF "
                        + $"WHERE name = 'store'");
                LeaseDatabase.Execute(made, "PRAGMA journal_mode = DELETE");
                state = LeaseDatabase.ReadState(made);
            }

            Sync(unfinished);
            // From here on the folder is refused until the very database is in place: a restore that was cut off is repeated.
            FolderMark.Replace(held.Folder, state);
            var aside = KeepAside(held, time);
            File.Move(unfinished, held.Database);
            FileIdentity.SyncFolder(held.Folder);
            return new DataFolderRestore(epoch, aside);
        }
        finally
        {
            Remove(unfinished);
        }
    }

    private static void Copy(SqliteConnection source, string file)
    {
        PrivateFile.Create(file).Dispose();
        using (var copy = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString()))
        {
            copy.Open();
            source.BackupDatabase(copy);
            // One file, without a log beside it.
            LeaseDatabase.Execute(copy, "PRAGMA journal_mode = DELETE");
            LeaseDatabase.Verify(copy);
        }

        Sync(file);
    }

    // Whatever name the folder's database had is free: what was in its log is not to be read with another.
    private static string? KeepAside(HeldFolder held, TimeProvider time)
    {
        var files = new[] { held.Database + "-wal", held.Database + "-shm", held.Database }.Where(Path.Exists).ToList();
        if (files.Count == 0) return null;
        var name = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var aside = Path.Combine(held.Folder, $"before-restore-{name}");
        for (var i = 2; Path.Exists(aside); i++) aside = Path.Combine(held.Folder, $"before-restore-{name}-{i}");
        PrivateFile.CreateFolder(aside);
        foreach (var file in files) File.Move(file, Path.Combine(aside, Path.GetFileName(file)));
        FileIdentity.SyncFolder(aside);
        return aside;
    }

    // What is replaced may be anything; only what can be read of it counts.
    private static long? EpochOf(string database)
    {
        try
        {
            return LeaseDatabase.Inspect(database)?.Epoch;
        }
        catch (Exception error) when (error is SqliteException or InvalidDataException)
        {
            return null;
        }
    }

    private static void RefuseToOverwrite(string file)
    {
        if (Path.Exists(file)) throw new IOException($"'{file}' exists, and is not overwritten. Name another file.");
    }

    private static void Publish(string unfinished, string file)
    {
        RefuseToOverwrite(file);
        File.Move(unfinished, file, overwrite: false);
    }

    private static void Sync(string file)
    {
        using var opened = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        opened.Flush(flushToDisk: true);
    }

    private static void Remove(string unfinished)
    {
        foreach (var file in new[] { unfinished, unfinished + "-journal", unfinished + "-wal", unfinished + "-shm" }) File.Delete(file);
    }
}
