using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Gateway.Bounds;

/// <summary>How many calls the gateway takes at once, so that a flood of them is refused and not died of. Thread-safe.</summary>
internal sealed class GatewayBounds
{
    // Holders renew many leases in a call, and every call is over soon.
    private const int RenewalsToRequests = 4;

    private const int BodiesShare = 16;

    private readonly OpenBound _requests;
    private readonly OpenBound _renewals;
    private readonly OpenBound _openToAll;
    private readonly MemoryBound _memory;

    /// <param name="most">How many.</param>
    /// <param name="memory">What is refused where memory is short.</param>
    /// <param name="loggers">The loggers of the host.</param>
    public GatewayBounds(MostOpen most, MemoryBound memory, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger<GatewayBounds>();
        _requests = new("openRequests", most.Requests, logger);
        _renewals = new("openRenewals", (int)Math.Min(int.MaxValue, (long)RenewalsToRequests * most.Requests), logger);
        _openToAll = new("openRequests", most.Requests, logger);
        Waits = new("openWaits", most.Waits, logger);
        Watches = new("openWatches", most.Watches, logger);
        _memory = memory;
    }

    /// <summary>Acquires that wait, each a request as well.</summary>
    public OpenBound Waits { get; }

    /// <summary>Watches, each a request as well.</summary>
    public OpenBound Watches { get; }

    /// <summary>Bodies of the requests that share a room.</summary>
    public BodyRoom Bodies { get; } = new(MemoryBound.Available / BodiesShare);

    /// <summary>Bodies of those that have their own.</summary>
    public BodyRoom OwnBodies { get; } = new(MemoryBound.Available / BodiesShare);

    /// <summary>Lets a request in that shares its room with all others.</summary>
    /// <param name="place">The place of its connection; null where connections have no bound.</param>
    /// <returns>Why not; null where there is room, and then it is to <see cref="Leave"/>.</returns>
    public Refusal.LimitReached? Enter(ConnectionPlace? place) =>
        place is { IsInReserve: true } ? place.Refuse() : _memory.Refuse() ?? _requests.Enter();

    /// <summary>A request that was let in is over.</summary>
    public void Leave() => _requests.Leave();

    /// <summary>As <see cref="Enter"/>, for a request that is never held back by those.</summary>
    /// <param name="isOpenToAll">Whether it takes no credential: outsiders, who may read slowly, fill a room of their own only.</param>
    public Refusal.LimitReached? EnterOwn(bool isOpenToAll) => (isOpenToAll ? _openToAll : _renewals).Enter();

    /// <summary>A request that was let in so is over.</summary>
    public void LeaveOwn(bool isOpenToAll) => (isOpenToAll ? _openToAll : _renewals).Leave();
}

/// <summary>How many calls the gateway takes at once.</summary>
internal readonly record struct MostOpen(int Requests, int Waits, int Watches)
{
    // A connection with a request on it takes some 16 KiB, and what it has sent and not read comes to that.
    private const int BytesOfRequest = 64 * 1024;

    /// <summary>What the options say, and for the rest what there is memory for.</summary>
    /// <exception cref="ArgumentException">One of them is below 1.</exception>
    public static MostOpen Of(LeaseGatewayOptions options)
    {
        options.CheckBounds();
        var requests = options.MaxOpenRequests ?? (int)Math.Clamp(MemoryBound.Available / BytesOfRequest, 64, int.MaxValue);
        return new(
            requests, options.MaxOpenWaits ?? Math.Max(1, requests / 2), options.MaxOpenWatches ?? Math.Max(1, requests / 4));
    }
}
