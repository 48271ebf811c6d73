using Microsoft.AspNetCore.Connections;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>The place that one connection takes among those that are open, as a feature of the connection. Thread-safe.</summary>
/// <param name="bound">The bound of them all.</param>
/// <param name="connection">The connection.</param>
/// <param name="isInReserve">See <see cref="IsInReserve"/>.</param>
internal sealed class ConnectionPlace(ConnectionBound bound, ConnectionContext connection, bool isInReserve)
{
    private volatile bool _isHeard;

    /// <summary>
    /// Whether it is one of the last that there is room for: those are for one call each, by holders and those who look after the server.
    /// </summary>
    public bool IsInReserve { get; } = isInReserve;

    /// <summary>Its node among those that nobody was heard on; null when somebody was. Only for the bound, under its lock.</summary>
    internal LinkedListNode<ConnectionPlace>? Silent { get; set; }

    /// <summary>Whether it counts as open. Only for the bound, under its lock.</summary>
    internal bool IsOpen { get; set; } = true;

    /// <summary>Whether its place was given to another. Only for the bound, under its lock.</summary>
    internal bool IsEnding { get; set; }

    /// <summary>Whether it counts among those that are not in the reserve. Only for the bound, under its lock.</summary>
    internal bool IsOrdinary { get; set; } = !isInReserve;

    /// <summary>A caller who may call has made a call on it: it is not given to another any more.</summary>
    public void Hear()
    {
        if (_isHeard) return;
        _isHeard = true;
        bound.Hear(this);
    }

    /// <summary>Why a call on it is refused that has no room of its own.</summary>
    public Refusal.LimitReached Refuse() => bound.Full;

    /// <summary>It has ended.</summary>
    public void Leave() => bound.Leave(this);

    /// <summary>Ends it.</summary>
    internal void End() => connection.Abort(new ConnectionAbortedException("Its place was given to another: nobody was heard on it."));
}
