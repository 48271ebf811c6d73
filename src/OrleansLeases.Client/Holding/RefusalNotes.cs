using Microsoft.Extensions.Logging;

namespace OrleansLeases.Client.Holding;

/// <summary>
/// Logs acquires that are refused for what a person has to mend: a credential, its rights or a bound. Each kind is told once a minute at
/// most. Thread-safe.
/// </summary>
internal sealed class RefusalNotes(ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<RefusalCode, long> _toldAt = [];

    public void Note(AcquireRequest request, Refusal refusal)
    {
        if (!refusal.IsForLackOfRights() && refusal is not Refusal.LimitReached) return;
        lock (_gate)
        {
            if (_toldAt.TryGetValue(refusal.Code, out var before) && time.GetElapsedTime(before) < Silence) return;
            _toldAt[refusal.Code] = time.GetTimestamp();
        }

        logger.Refused(request.Resource, request.Owner, refusal.Code, refusal.Detail);
    }
}
