using System.Collections.Immutable;

namespace OrleansLeases.Core;

/// <summary>A change that a log remembers.</summary>
internal interface ILogEntry
{
    /// <summary>The request that made the change, where a request id names it.</summary>
    RequestFingerprint Request { get; }
}

/// <summary>What all logs share: how they are cut into blocks, and how one is made.</summary>
internal static class BlockLog
{
    /// <summary>How many entries a finished block has. Entry n is in block (n - 1) / 16.</summary>
    public const int BlockLength = 16;

    /// <summary>The block that an entry is in.</summary>
    /// <param name="sequence">The entry's number; 0 for none.</param>
    /// <returns>The block's number, from 0.</returns>
    public static long BlockOf(long sequence) => Math.Max(0, sequence - 1) / BlockLength;

    /// <summary>No change yet.</summary>
    /// <typeparam name="TEntry">What is remembered of a change.</typeparam>
    /// <param name="after">The numbers up to this one may have been given out before, to changes of a record that was dropped.</param>
    /// <returns>The log. Its first change is also the first of a block.</returns>
    public static BlockLog<TEntry> Empty<TEntry>(long after = 0)
        where TEntry : struct, ILogEntry
    {
        var start = (after + BlockLength - 1) / BlockLength * BlockLength;
        return new(start, [], [], start);
    }

    /// <summary>Puts a log together again.</summary>
    /// <typeparam name="TEntry">What is remembered of a change.</typeparam>
    /// <param name="last">The number of the newest entry.</param>
    /// <param name="entries">The entries up to it, oldest first, without a gap.</param>
    /// <param name="start">See <see cref="BlockLog{TEntry}.Start"/>.</param>
    /// <returns>The log.</returns>
    public static BlockLog<TEntry> Restore<TEntry>(long last, IReadOnlyList<TEntry> entries, long start = 0)
        where TEntry : struct, ILogEntry
    {
        ArgumentNullException.ThrowIfNull(entries);
        // The blocks are aligned to the numbering, so a log whose oldest entries were dropped starts at a block.
        var tailLength = Math.Min(entries.Count, (int)((last - 1) % BlockLength) + 1);
        var finished = ImmutableArray.CreateBuilder<BlockLog<TEntry>.Block>();
        var head = (entries.Count - tailLength) % BlockLength;
        for (var i = head; i < entries.Count - tailLength; i += BlockLength)
            finished.Add(new([.. entries.Skip(i).Take(BlockLength)]));
        return new(last, finished.ToImmutable(), [.. entries.Skip(entries.Count - tailLength)], start);
    }
}

/// <summary>
/// The last changes of a resource or key, numbered from 1 without gaps. Immutable. Kept in blocks of 16, so that a
/// change copies one block at most and a store can write finished blocks once instead of with every change.
/// </summary>
/// <typeparam name="TEntry">What is remembered of a change.</typeparam>
internal sealed class BlockLog<TEntry>
    where TEntry : struct, ILogEntry
{
    private readonly ImmutableArray<Block> _finished;
    private readonly TEntry[] _tail;

    internal BlockLog(long last, ImmutableArray<Block> finished, TEntry[] tail, long start) =>
        (Last, _finished, _tail, Start) = (last, finished, tail, start);

    /// <summary>The number that the log started after: 0, but where a dropped record of the name, or of its shard, came before.</summary>
    public long Start { get; }

    /// <summary>The number of the newest entry; <see cref="Start"/> where there is none.</summary>
    public long Last { get; }

    /// <summary>How many entries are still known.</summary>
    public int Count => (_finished.Length * BlockLog.BlockLength) + _tail.Length;

    /// <summary>The number of the oldest entry still known.</summary>
    public long First => Last - Count + 1;

    /// <summary>The newest block alone, as a store writes it beside the finished ones.</summary>
    /// <returns>A log that knows no other block.</returns>
    public BlockLog<TEntry> WithoutFinished() => _finished.IsEmpty ? this : new(Last, [], _tail, Start);

    /// <summary>The same log with older blocks before the ones it has.</summary>
    /// <param name="older">Finished blocks, oldest first, that end where this log starts.</param>
    /// <returns>The longer log.</returns>
    public BlockLog<TEntry> WithOlder(IEnumerable<TEntry[]> older) =>
        new(Last, [.. older.Select(entries => new Block(entries)), .. _finished], _tail, Start);

    /// <summary>A finished block.</summary>
    /// <param name="block">Its number.</param>
    /// <returns>Its entries.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The block is not finished, or no longer known.</exception>
    public TEntry[] Finished(long block)
    {
        var index = block - (BlockLog.BlockOf(Last) - _finished.Length);
        if (index < 0 || index >= _finished.Length)
            throw new ArgumentOutOfRangeException(nameof(block), block, "The block is not finished, or no longer known.");
        return _finished[(int)index].Entries;
    }

    /// <summary>The entries, newest first.</summary>
    /// <returns>The entries.</returns>
    public IEnumerable<TEntry> NewestFirst()
    {
        for (var i = _tail.Length - 1; i >= 0; i--) yield return _tail[i];
        for (var block = _finished.Length - 1; block >= 0; block--)
        {
            for (var i = BlockLog.BlockLength - 1; i >= 0; i--) yield return _finished[block].Entries[i];
        }
    }

    /// <summary>The entries after one, oldest first, with their numbers.</summary>
    /// <param name="sequence">The number of that entry; what came before <see cref="First"/> is forgotten.</param>
    /// <returns>The entries.</returns>
    public IEnumerable<(long Sequence, TEntry Entry)> After(long sequence)
    {
        var tail = Last - _tail.Length + 1;
        for (var number = Math.Max(sequence + 1, First); number <= Last; number++)
        {
            yield return number >= tail
                ? (number, _tail[number - tail])
                : (number, _finished[(int)((number - First) / BlockLog.BlockLength)].Entries[(number - First) % BlockLog.BlockLength]);
        }
    }

    /// <summary>Finds the change that a request made.</summary>
    /// <param name="requestId">The id's digest.</param>
    /// <param name="entry">The change.</param>
    /// <returns>Whether it is still known.</returns>
    public bool TryFind(long requestId, out TEntry entry) => TryFind(requestId, out entry, out _);

    /// <summary>Finds the change that a request made, and its number.</summary>
    /// <param name="requestId">The id's digest.</param>
    /// <param name="entry">The change.</param>
    /// <param name="sequence">Its number.</param>
    /// <returns>Whether it is still known.</returns>
    public bool TryFind(long requestId, out TEntry entry, out long sequence)
    {
        (entry, sequence) = (default, 0);
        if (requestId == 0) return false;
        for (var i = _tail.Length - 1; i >= 0; i--)
        {
            if (_tail[i].Request.Id != requestId) continue;
            (entry, sequence) = (_tail[i], Last - _tail.Length + 1 + i);
            return true;
        }

        for (var block = _finished.Length - 1; block >= 0; block--)
        {
            var i = Array.LastIndexOf(_finished[block].RequestIds, requestId);
            if (i < 0) continue;
            entry = _finished[block].Entries[i];
            sequence = First + (block * BlockLog.BlockLength) + i;
            return true;
        }

        return false;
    }

    internal BlockLog<TEntry> Append(TEntry entry, int length)
    {
        if (_tail.Length < BlockLog.BlockLength) return new(Last + 1, _finished, [.. _tail, entry], Start);
        var finished = _finished.Add(new(_tail));
        var excess = finished.Length - ((length / BlockLog.BlockLength) - 1);
        return new(Last + 1, finished.RemoveRange(0, Math.Max(0, excess)), [entry], Start);
    }

    // Every request rechecks for its id in the whole log, so the ids of finished blocks lie side by side.
    internal readonly struct Block(TEntry[] entries)
    {
        public TEntry[] Entries { get; } = entries;

        public long[] RequestIds { get; } = Array.ConvertAll(entries, entry => entry.Request.Id);
    }
}
