using System.Collections.Concurrent;

namespace OrleansLeases.Gateway.Audit;

/// <summary>
/// How many refusals of one principal are recorded: so that nobody who is refused can crowd out, or rotate away, the records of what was
/// done. Those without a principal share one budget, a smaller one: nothing ties them to a key that could be revoked. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class RefusalBudget(TimeProvider time)
{
    /// <summary>Refusals of a principal in a row that are recorded one by one.</summary>
    public const int Burst = 1_000;

    /// <summary>Refusals in a row of all callers without a principal that are recorded one by one.</summary>
    public const int UnknownBurst = 100;

    /// <summary>From then on, one refusal of a principal is recorded in this time.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>From then on, one refusal of all callers without a principal is recorded in this time.</summary>
    public static readonly TimeSpan UnknownEvery = TimeSpan.FromSeconds(10);

    // Principals are few; where their names are made up, the counts begin anew.
    private const int MostPrincipals = 10_000;

    private readonly ConcurrentDictionary<string, Spent> _byPrincipal = new(StringComparer.Ordinal);
    private readonly Spent _byUnknown = new(UnknownBurst, UnknownEvery);
    private readonly long _start = time.GetTimestamp();

    /// <summary>Whether a refusal is recorded.</summary>
    /// <param name="principal">Whom was refused; null where that is not known.</param>
    /// <param name="omitted">How many were left out since the last one that was recorded.</param>
    public bool TryTake(string? principal, out long omitted)
    {
        if (_byPrincipal.Count >= MostPrincipals) _byPrincipal.Clear();
        var spent = principal is null ? _byUnknown : _byPrincipal.GetOrAdd(principal, static _ => new Spent(Burst, Every));
        return spent.TryTake(time.GetElapsedTime(_start), out omitted);
    }

    private sealed class Spent(int burst, TimeSpan every)
    {
        private readonly Lock _gate = new();
        private double _used;
        private TimeSpan _at;
        private long _omitted;

        public bool TryTake(TimeSpan now, out long omitted)
        {
            lock (_gate)
            {
                _used = Math.Max(0, _used - ((now - _at) / every));
                _at = now;
                omitted = 0;
                if (_used + 1 > burst)
                {
                    _omitted++;
                    return false;
                }

                _used++;
                (omitted, _omitted) = (_omitted, 0);
                return true;
            }
        }
    }
}
