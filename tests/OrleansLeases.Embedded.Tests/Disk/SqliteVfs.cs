using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansLeases.Embedded.Tests.Disk;

/// <summary>
/// Puts itself between SQLite and its files, for the folders of an <see cref="UnreliableDisk"/>: SQLite's own methods of a
/// file are called, and the disk is told of each write, truncation, sync and deletion.
/// </summary>
/// <remarks>The structs are those of sqlite3.h, as far as they are used (https://sqlite.org/c3ref/vfs.html, io_methods.html).</remarks>
internal static unsafe class SqliteVfs
{
    private const int IoErrorFsync = 10 | (4 << 8);

    private static readonly ConcurrentDictionary<string, UnreliableDisk> Disks = new();
    private static readonly ConcurrentDictionary<nint, OpenFile> Open = new();
    private static readonly ConcurrentDictionary<nint, nint> Wrapped = new();
    private static Vfs* _system;

    /// <summary>From now on files in this folder are the disk's.</summary>
    public static void Attach(string folder, UnreliableDisk disk)
    {
        lock (Disks)
        {
            if (_system == null) Register();
        }

        Disks[folder] = disk;
    }

    public static void Detach(string folder) => Disks.TryRemove(folder, out _);

    private static void Register()
    {
        _system = Find(null);
        var vfs = (Vfs*)NativeMemory.Alloc((nuint)sizeof(Vfs));
        *vfs = *_system;
        vfs->Name = (byte*)Marshal.StringToCoTaskMemUTF8("unreliable");
        vfs->Open = &OpenFileOf;
        vfs->Delete = &Delete;
        if (Register(vfs, makeDefault: 1) != 0) throw new InvalidOperationException("SQLite does not take the VFS.");
    }

    private static UnreliableDisk? DiskOf(string? path) =>
        path is not null && Disks.TryGetValue(Path.GetDirectoryName(path)!, out var disk) ? disk : null;

    // SQLite's structs have no room for managed objects, so open files are found by their address.
    private static OpenFile FileAt(SqliteFile* file) => Open[(nint)file];

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OpenFileOf(Vfs* vfs, byte* name, SqliteFile* file, int flags, int* outFlags)
    {
        var code = _system->Open(_system, name, file, flags, outFlags);
        var path = Marshal.PtrToStringUTF8((nint)name);
        if (code == 0 && DiskOf(path) is { } disk)
        {
            Open[(nint)file] = new(disk, path!, file->Methods);
            file->Methods = (IoMethods*)Wrapped.GetOrAdd((nint)file->Methods, static methods => (nint)Wrap((IoMethods*)methods));
        }

        return code;
    }

    private static IoMethods* Wrap(IoMethods* system)
    {
        var methods = (IoMethods*)NativeMemory.Alloc((nuint)sizeof(IoMethods));
        *methods = *system;
        methods->Close = &Close;
        methods->Write = &Write;
        methods->Truncate = &Truncate;
        methods->Sync = &Sync;
        return methods;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(SqliteFile* file)
    {
        Open.TryRemove((nint)file, out var open);
        return open!.System->Close(file);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(SqliteFile* file, byte* data, int length, long offset)
    {
        var open = FileAt(file);
        var code = open.System->Write(file, data, length, offset);
        if (code == 0) open.Disk.Written(open.Path, offset, new ReadOnlySpan<byte>(data, length).ToArray());
        return code;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Truncate(SqliteFile* file, long length)
    {
        var open = FileAt(file);
        var code = open.System->Truncate(file, length);
        if (code == 0) open.Disk.Truncated(open.Path, length);
        return code;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(SqliteFile* file, int flags)
    {
        var open = FileAt(file);
        return !open.IsLost && open.Disk.Synced(open.Path) ? open.System->Sync(file, flags) : IoErrorFsync;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Delete(Vfs* vfs, byte* name, int syncFolder)
    {
        var code = _system->Delete(_system, name, syncFolder);
        var path = Marshal.PtrToStringUTF8((nint)name);
        if (code == 0) DiskOf(path)?.Deleted(path!);
        return code;
    }

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_vfs_find")]
    private static extern Vfs* Find(byte* name);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_vfs_register")]
    private static extern int Register(Vfs* vfs, int makeDefault);

    private sealed class OpenFile(UnreliableDisk disk, string path, IoMethods* system)
    {
        private readonly int _losses = disk.Losses;

        public bool IsLost => _losses != disk.Losses;

        public UnreliableDisk Disk => disk;

        public string Path => path;

        public IoMethods* System => system;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SqliteFile
    {
        public IoMethods* Methods;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Vfs
    {
        public int Version;
        public int FileSize;
        public int MaxPath;
        public Vfs* Next;
        public byte* Name;
        public void* AppData;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, SqliteFile*, int, int*, int> Open;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, int, int> Delete;
        public Rest<nint> Others;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct IoMethods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<SqliteFile*, int> Close;
        public nint Read;
        public delegate* unmanaged[Cdecl]<SqliteFile*, byte*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<SqliteFile*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<SqliteFile*, int, int> Sync;
        public Rest<nint> Others;
    }

    // The methods that are copied as they are: 14 of a VFS of version 3, 13 of a file of version 3.
    [InlineArray(14)]
    private struct Rest<T>
    {
        private T _first;
    }
}
