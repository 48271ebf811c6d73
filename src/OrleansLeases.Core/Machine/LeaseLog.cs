using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace OrleansLeases.Core;

/// <summary>
/// The last changes of a resource, numbered from 1 without gaps. Immutable. Kept in blocks of 16, so that a change
/// copies one block at most and a store can write finished blocks once instead of with every change.
/// </summary>
public sealed class LeaseLog
{
    /// <summary>How many entries a finished block has. Entry n is in block (n - 1) / 16.</summary>
    public const int BlockLength = 16;

    /// <summary>No change yet.</summary>
    public static readonly LeaseLog Empty = new(0, [], []);

    private readonly ImmutableArray<Block> _finished;
    private readonly LogEntry[] _tail;

    private LeaseLog(long last, ImmutableArray<Block> finished, LogEntry[] tail) =>
        (Last, _finished, _tail) = (last, finished, tail);

    /// <summary>The number of the newest entry; 0 where there is none.</summary>
    public long Last { get; }

    /// <summary>How many entries are still known.</summary>
    public int Count => (_finished.Length * BlockLength) + _tail.Length;

    /// <summary>The number of the oldest entry still known.</summary>
    public long First => Last - Count + 1;

    /// <summary>The block that an entry is in.</summary>
    /// <param name="sequence">The entry's number; 0 for none.</param>
    /// <returns>The block's number, from 0.</returns>
    public static long BlockOf(long sequence) => Math.Max(0, sequence - 1) / BlockLength;

    /// <summary>Puts a log together again.</summary>
    /// <param name="last">The number of the newest entry.</param>
    /// <param name="entries">The entries up to it, oldest first, without a gap.</param>
    /// <returns>The log.</returns>
    public static LeaseLog Restore(long last, IReadOnlyList<LogEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        // The blocks are aligned to the numbering, so a log whose oldest entries were dropped starts at a block.
        var tailLength = entries.Count == 0 ? 0 : (int)((last - 1) % BlockLength) + 1;
        if (tailLength > entries.Count) tailLength = entries.Count;
        var finished = ImmutableArray.CreateBuilder<Block>();
        var head = (entries.Count - tailLength) % BlockLength;
        for (var i = head; i < entries.Count - tailLength; i += BlockLength)
            finished.Add(new([.. entries.Skip(i).Take(BlockLength)]));
        return new(last, finished.ToImmutable(), [.. entries.Skip(entries.Count - tailLength)]);
    }

    /// <summary>The newest block alone, as a store writes it beside the finished ones.</summary>
    /// <returns>A log that knows no other block.</returns>
    public LeaseLog WithoutFinished() => _finished.IsEmpty ? this : new(Last, [], _tail);

    /// <summary>The same log with older blocks before the ones it has.</summary>
    /// <param name="older">Finished blocks, oldest first, that end where this log starts.</param>
    /// <returns>The longer log.</returns>
    public LeaseLog WithOlder(IEnumerable<LogEntry[]> older) =>
        new(Last, [.. older.Select(entries => new Block(entries)), .. _finished], _tail);

    /// <summary>A finished block.</summary>
    /// <param name="block">Its number.</param>
    /// <returns>Its entries.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The block is not finished, or no longer known.</exception>
    public LogEntry[] Finished(long block)
    {
        var index = block - (BlockOf(Last) - _finished.Length);
        if (index < 0 || index >= _finished.Length)
            throw new ArgumentOutOfRangeException(nameof(block), block, "The block is not finished, or no longer known.");
        return _finished[(int)index].Entries;
    }

    /// <summary>The entries, newest first.</summary>
    /// <returns>The entries.</returns>
    public IEnumerable<LogEntry> NewestFirst()
    {
        for (var i = _tail.Length - 1; i >= 0; i--) yield return _tail[i];
        for (var block = _finished.Length - 1; block >= 0; block--)
        {
            for (var i = BlockLength - 1; i >= 0; i--) yield return _finished[block].Entries[i];
        }
    }

    /// <summary>Finds the change that a request made.</summary>
    /// <param name="requestId">The id's digest.</param>
    /// <param name="entry">The change.</param>
    /// <returns>Whether it is still known.</returns>
    public bool TryFind(long requestId, out LogEntry entry)
    {
        entry = default;
        if (requestId == 0) return false;
        for (var i = _tail.Length - 1; i >= 0; i--)
        {
            if (_tail[i].Request.Id != requestId) continue;
            entry = _tail[i];
            return true;
        }

        for (var block = _finished.Length - 1; block >= 0; block--)
        {
            var i = Array.LastIndexOf(_finished[block].RequestIds, requestId);
            if (i < 0) continue;
            entry = _finished[block].Entries[i];
            return true;
        }

        return false;
    }

    internal LeaseLog Append(LogEntry entry, int length)
    {
        if (_tail.Length < BlockLength) return new(Last + 1, _finished, [.. _tail, entry]);
        var finished = _finished.Add(new(_tail));
        var excess = finished.Length - ((length / BlockLength) - 1);
        return new(Last + 1, excess > 0 ? finished.RemoveRange(0, excess) : finished, [entry]);
    }

    // Every request looks for its id in the whole log, so the ids of finished blocks lie side by side.
    private readonly struct Block(LogEntry[] entries)
    {
        public LogEntry[] Entries { get; } = entries;

        public long[] RequestIds { get; } = Array.ConvertAll(entries, entry => entry.Request.Id);
    }
}

/// <summary>One change of a resource.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Token">To which grant.</param>
/// <param name="At">Wall: when.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="Reason">Why, where someone said.</param>
/// <param name="Request">The request that made the change, where a request id names it.</param>
public readonly record struct LogEntry(
    [property: JsonPropertyName("k"), JsonConverter(typeof(JsonNumberEnumConverter<LeaseEventKind>))] LeaseEventKind Kind,
    [property: JsonPropertyName("t")] long Token,
    [property: JsonPropertyName("a")] TimeSpan At,
    [property: JsonPropertyName("o")] string Owner,
    [property: JsonPropertyName("r")] string? Reason,
    [property: JsonPropertyName("q")] RequestStamp Request)
{
    /// <summary>Whether the grant ended by this change.</summary>
    [JsonIgnore]
    public bool IsEnd => Kind is LeaseEventKind.Released or LeaseEventKind.Expired or LeaseEventKind.Transferred or LeaseEventKind.Broken;
}
