using System.Diagnostics;

namespace OrleansLeases.Torture.Worlds;

/// <summary>A small file system of its own in memory, which can be full: it takes root and the right to mount.</summary>
internal sealed class SmallDisk : IDisposable
{
    private const string Size = "24m";

    private readonly string _folder;
    private readonly string _ballast;

    private SmallDisk(string folder) => (_folder, _ballast) = (folder, Path.Combine(folder, "ballast"));

    /// <returns>The disk, mounted at the folder; null where this process may not mount.</returns>
    public static SmallDisk? TryMount(string folder) =>
        Environment.IsPrivilegedProcess && Run("mount", "-t", "tmpfs", "-o", $"size={Size}", "tmpfs", folder) ? new(folder) : null;

    /// <summary>Leaves no byte free.</summary>
    public void Fill()
    {
        var block = new byte[64 * 1024];
        try
        {
            using var ballast = new FileStream(_ballast, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            while (true) ballast.Write(block);
        }
        catch (IOException)
        {
            // It is full.
        }
    }

    public void Free() => File.Delete(_ballast);

    // A server that was killed a moment ago may still have its files open: detached, it goes with the last of them.
    public void Dispose() => Run("umount", "--lazy", _folder);

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true });
        process!.WaitForExit();
        return process.ExitCode == 0;
    }
}
