using System.Globalization;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>What Linux says of this process' file descriptors.</summary>
internal static class Descriptors
{
    private const string MaxOpenFiles = "Max open files";

    /// <summary>
    /// How many may be open at once; null where the system does not say, or sets no limit. .NET has raised the soft limit to the hard one
    /// at its start.
    /// </summary>
    public static long? Limit
    {
        get
        {
            if (!OperatingSystem.IsLinux() || !File.Exists("/proc/self/limits")) return null;
            var line = File.ReadLines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(MaxOpenFiles, StringComparison.Ordinal));
            var soft = line?[MaxOpenFiles.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            return long.TryParse(soft, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }
    }

    /// <summary>How many are open.</summary>
    public static int Open => OperatingSystem.IsLinux() ? Directory.EnumerateFileSystemEntries("/proc/self/fd").Count() : 0;
}
