using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OrleansLeases.Embedded;

/// <summary>
/// Identifies a file, whatever its name. While a file is open no other file has its identity. Known on Linux; elsewhere only whether
/// the file exists is known.
/// </summary>
internal readonly partial record struct FileIdentity(ulong Device, ulong Inode)
{
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint InodeWanted = 0x100;
    private const int ReadOnlyFolder = 0x10000 | 0x80000;

    /// <summary>The file at a path, links followed; null where there is none, or nobody may look.</summary>
    public static FileIdentity? Of(string path)
    {
        if (!OperatingSystem.IsLinux()) return File.Exists(path) ? default(FileIdentity) : null;
        return Statx(CurrentFolder, path, 0, InodeWanted, out var status) == 0 ? new(status.Device, status.Inode) : null;
    }

    /// <summary>An open file.</summary>
    public static FileIdentity? Of(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux()) return default(FileIdentity);
        return Statx((int)file.DangerousGetHandle(), "", EmptyPath, InodeWanted, out var status) == 0
            ? new(status.Device, status.Inode)
            : null;
    }

    /// <summary>Waits until the names in a folder are on the disk. Systems that have no call for it do so by themselves.</summary>
    /// <exception cref="IOException">They are not.</exception>
    public static void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux()) return;
        using var opened = new SafeFileHandle(Open(folder, ReadOnlyFolder), ownsHandle: true);
        if (opened.IsInvalid || Sync(opened) != 0)
        {
            throw new IOException($"The folder '{folder}' cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint wanted, out Status status);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);

    // struct statx is the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public ulong Device;
    }
}
