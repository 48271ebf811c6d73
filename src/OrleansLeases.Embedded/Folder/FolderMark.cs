using System.Buffers.Binary;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace OrleansLeases.Embedded;

/// <summary>Which database this is, and how far it has come.</summary>
/// <param name="Store">A number that each database draws when it is made; 0 in one of before there was a mark.</param>
/// <param name="Change">How many commits there were.</param>
/// <param name="Epoch">The restore epoch.</param>
internal readonly record struct FolderState(long Store, long Change, long Epoch);

/// <summary>
/// What the folder itself knows of its database, in <c>leases.mark</c>: that there is one, which, and up to which change. It is
/// written after each commit's sync and not synced itself. So it survives a killed process exactly; after a loss of power it may
/// be behind, and is never ahead of what the disk has.
/// </summary>
internal sealed class FolderMark : IDisposable
{
    // Two records, written in turn and in sectors of their own: if a loss of power tears one, the other is whole.
    private const int Slots = 2;
    private const int SlotSize = 512;
    private const int RecordSize = 40;
    private const ulong Magic = 0x314B52414D53454C;

    private readonly SafeFileHandle _file;
    private readonly byte[] _record = new byte[RecordSize];
    private FolderState _state;

    private FolderMark(SafeFileHandle file, FolderState state) => (_file, _state) = (file, state);

    public static string FileOf(string folder) => Path.Combine(folder, "leases.mark");

    /// <summary>Reads the mark of a folder; null where it has none.</summary>
    /// <exception cref="InvalidDataException">It is not readable.</exception>
    public static FolderState? Read(string folder)
    {
        var file = FileOf(folder);
        if (!File.Exists(file)) return null;
        var bytes = new byte[Slots * SlotSize];
        using (var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
            stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        FolderState? latest = null;
        for (var slot = 0; slot < Slots; slot++)
            if (Decode(bytes.AsSpan(slot * SlotSize, RecordSize)) is { } state && (latest is null || state.Change > latest.Value.Change))
            {
                latest = state;
            }

        return latest ?? throw new InvalidDataException($"'{file}', which says what was granted here, is not readable.");
    }

    /// <summary>The state in the mark; null also where it is not readable, for a caller that is about to replace it.</summary>
    public static FolderState? Known(string folder)
    {
        try
        {
            return Read(folder);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Makes the mark say this, at once and durably, whatever it said before.</summary>
    public static void Replace(string folder, FolderState state)
    {
        var made = FileOf(folder) + ".new";
        File.Delete(made);
        using (var stream = PrivateFile.Create(made))
        {
            var bytes = new byte[Slots * SlotSize];
            for (var slot = 0; slot < Slots; slot++) Encode(state, bytes.AsSpan(slot * SlotSize, RecordSize));
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }

        File.Move(made, FileOf(folder), overwrite: true);
        FileIdentity.SyncFolder(folder);
    }

    /// <summary>Opens the mark of a folder after making it say this.</summary>
    public static FolderMark Open(string folder, FolderState state)
    {
        Replace(folder, state);
        return new(File.OpenHandle(FileOf(folder), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete), state);
    }

    /// <summary>Notes a change that is on the disk.</summary>
    public void Advance(long change)
    {
        _state = _state with { Change = change };
        Encode(_state, _record);
        try
        {
            RandomAccess.Write(_file, _record, change % Slots * SlotSize);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The mark stays behind, which it may.
        }
    }

    public void Dispose()
    {
        try
        {
            RandomAccess.FlushToDisk(_file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The mark stays behind, which it may.
        }

        _file.Dispose();
    }

    private static void Encode(FolderState state, Span<byte> record)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(record, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], state.Store);
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], state.Change);
        BinaryPrimitives.WriteInt64LittleEndian(record[24..], state.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(record[32..], Checksum(record[..32]));
    }

    private static FolderState? Decode(ReadOnlySpan<byte> record) =>
        BinaryPrimitives.ReadUInt64LittleEndian(record) == Magic
            && BinaryPrimitives.ReadUInt64LittleEndian(record[32..]) == Checksum(record[..32])
            ? new(
                BinaryPrimitives.ReadInt64LittleEndian(record[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(record[16..]),
                BinaryPrimitives.ReadInt64LittleEndian(record[24..]))
            : null;

    private static ulong Checksum(ReadOnlySpan<byte> bytes)
    {
        var sum = uint.MaxValue;
        for (var i = 0; i < bytes.Length; i += 8) sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes[i..]));
        return sum;
    }
}
