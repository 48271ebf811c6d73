using System.Text.Json;

namespace OrleansLeases.Gateway.Audit;

/// <summary>Reads an audit file with the full ones before it, also while a server writes it.</summary>
internal static class AuditReader
{
    private const int Attempts = 10;

    /// <summary>The records, the oldest first; null for a line that is none.</summary>
    /// <param name="path">The file that a server writes, or wrote.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IEnumerable<AuditRecord?> Read(string path)
    {
        var files = Open(path);
        try
        {
            foreach (var file in files)
            {
                using var lines = new StreamReader(file, leaveOpen: true);
                while (lines.ReadLine() is { } line) yield return Parse(line);
            }
        }
        finally
        {
            foreach (var file in files) file.Dispose();
        }
    }

    // All are open before the first is read: none can be missed, or come twice, because the server begins a new one meanwhile.
    private static List<FileStream> Open(string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            var files = new List<FileStream>();
            var isDone = false;
            try
            {
                var full = RotatingFile.Full(path);
                files.AddRange(full.Select(OpenShared));
                if (full.Count == 0 || File.Exists(path)) files.Add(OpenShared(path));
                isDone = RotatingFile.Full(path).SequenceEqual(full);
                if (isDone) return files;
                if (attempt == Attempts) throw new IOException($"'{path}' is begun anew all the time; copy it, and read the copy.");
            }
            catch (FileNotFoundException) when (attempt < Attempts && RotatingFile.Full(path).Count > 0)
            {
                // The oldest was deleted to make room.
            }
            finally
            {
                if (!isDone) files.ForEach(file => file.Dispose());
            }
        }
    }

    private static FileStream OpenShared(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static AuditRecord? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, AuditJson.Default.AuditRecord);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
