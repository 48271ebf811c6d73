using OrleansLeases.Client.Telemetry;

namespace OrleansLeases.Client.Internal;

/// <summary>One address of a service. What is known of it changes under the lock of <see cref="ServerList"/>.</summary>
internal sealed class Server(Uri address, Random random)
{
    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(30);

    private readonly Backoff _rest = new(ShortestRest, LongestRest, random);
    private TimeSpan _heardAt = TimeSpan.MinValue;

    // Without the closing slash a relative path would replace the last segment of the address.
    public Uri Root { get; } = new(address.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/");

    public ServerTags Tags { get; } = ServerTags.Of(address);

    /// <summary>Until when other servers are tried first.</summary>
    public TimeSpan RestsUntil { get; private set; } = TimeSpan.MinValue;

    /// <summary>When it failed last; long ago where it has answered since.</summary>
    public TimeSpan FailedAt { get; private set; } = TimeSpan.MinValue;

    public bool HasFailed => FailedAt > TimeSpan.MinValue;

    public void Answered_NeedsLock(TimeSpan now)
    {
        _heardAt = now;
        FailedAt = RestsUntil = TimeSpan.MinValue;
        _rest.Reset();
    }

    public void Failed_NeedsLock(Refusal? refusal, TimeSpan now)
    {
        FailedAt = now;
        // Of many calls that fail with it, the first one says it all.
        if (now >= RestsUntil) RestsUntil = now + _rest.Next(refusal);
    }

    public void Silent_NeedsLock(TimeSpan sentAt, TimeSpan now)
    {
        // Others were answered meanwhile: this call takes long for its own reasons.
        if (_heardAt <= sentAt) Failed_NeedsLock(null, now);
    }
}
