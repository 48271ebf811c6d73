using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// Takes no more connections than the process has descriptors and memory for. A process that runs out of descriptors can open neither its
/// store nor a part of itself that it has not needed before, and ends, or answers nobody ever again. A connection beyond the bound
/// takes the place of the oldest on which nobody was heard; a tenth of all is kept for single calls of holders, so that they get through
/// where all others are heard. What has no place is closed at once; its client can ask another server. Thread-safe.
/// Decision silent-connections-make-room.
/// </summary>
/// <param name="most">How many connections may be open at once.</param>
/// <param name="remedy">What to do where that is too few.</param>
/// <param name="logger">Told when the first has no place, and when there is room again.</param>
internal sealed partial class ConnectionBound(int most, string remedy, ILogger<ConnectionBound> logger)
{
    private const int MostInReserve = 1_000;

    private readonly Lock _lock = new();
    private readonly LinkedList<ConnectionPlace> _silent = [];
    private readonly int _mostOrdinary = most - Math.Min(most / 10, MostInReserve);
    private int _open;
    private int _ordinary;
    private int _ending;
    private int _turnedAway;

    /// <summary>How many connections may be open at once.</summary>
    public int Most => most;

    /// <summary>Answers a call on a connection in the reserve, which is for others.</summary>
    public Refusal.LimitReached Full { get; } = new(
        "connections",
        TimeSpan.FromSeconds(1),
        $"'connections' of this server is {most}, and so many are open; ask again later, or ask another server.");

    /// <summary>Finds a place for a connection.</summary>
    /// <returns>The place, which is to <see cref="ConnectionPlace.Leave"/>; null where the connection is to end.</returns>
    public ConnectionPlace? Enter(ConnectionContext connection)
    {
        ConnectionPlace? victim = null, place = null;
        var isFirst = false;
        lock (_lock)
        {
            if (_ordinary >= _mostOrdinary || _open >= most) isFirst = _turnedAway++ == 0;
            // Where there is no place at all, and one is about to be free, none more is ended.
            if (_open < most ? _ordinary >= _mostOrdinary : _ending == 0)
            {
                victim = _silent.First?.Value;
                if (victim is not null) Give(victim);
            }

            if (_open < most)
            {
                place = new ConnectionPlace(this, connection, isInReserve: _ordinary >= _mostOrdinary);
                place.Silent = _silent.AddLast(place);
                _open++;
                if (place.IsOrdinary) _ordinary++;
            }
        }

        if (isFirst) LogFull(logger, most, remedy);
        victim?.End();
        return place;
    }

    /// <summary>Somebody was heard on a connection.</summary>
    public void Hear(ConnectionPlace place)
    {
        lock (_lock) LeaveSilent(place);
    }

    /// <summary>A connection that had a place has ended.</summary>
    public void Leave(ConnectionPlace place)
    {
        var turnedAway = 0;
        lock (_lock)
        {
            if (!place.IsOpen) return;
            if (place.IsEnding) _ending--;
            Vacate(place);
            place.IsOpen = false;
            _open--;
            // Some room between the two, so that the log is not filled at the edge.
            if (_open <= _mostOrdinary - Math.Max(1, most / 10)) (turnedAway, _turnedAway) = (_turnedAway, 0);
        }

        if (turnedAway > 0) LogRoomAgain(logger, turnedAway);
    }

    // One that is ended counts as open until it is: else a flood would have more open than there are descriptors.
    private void Give(ConnectionPlace place)
    {
        Vacate(place);
        place.IsEnding = true;
        _ending++;
    }

    private void Vacate(ConnectionPlace place)
    {
        LeaveSilent(place);
        if (place.IsOrdinary) _ordinary--;
        place.IsOrdinary = false;
    }

    private void LeaveSilent(ConnectionPlace place)
    {
        if (place.Silent is { } node) _silent.Remove(node);
        place.Silent = null;
    }

    [LoggerMessage(7301, LogLevel.Warning, "connections: {Most} are open, all that there is room for, and more are turned away. {Remedy}")]
    private static partial void LogFull(ILogger logger, int most, string remedy);

    [LoggerMessage(7302, LogLevel.Warning, "Connections are taken again; {Count} were turned away, or took the place of another.")]
    private static partial void LogRoomAgain(ILogger logger, int count);
}
