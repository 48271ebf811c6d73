using System.Globalization;

namespace OrleansLeases.Cli.Mcp;

/// <summary>
/// How many sessions there are at once, of a principal and in all. A session beyond that does not begin: none ends to make room for
/// another's. Thread-safe.
/// </summary>
internal sealed class SessionRoom
{
    /// <summary>The most sessions of one principal. Where nobody is asked who is calling there are no principals to tell apart.</summary>
    public const int MostOfOne = 100;

    /// <summary>The most sessions of all principals together.</summary>
    public const int MostInAll = 1_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _of = new(StringComparer.Ordinal);
    private int _inAll;

    /// <summary>Takes the place of a session before it begins.</summary>
    /// <param name="principal">Whose it is.</param>
    /// <param name="full">Why there is none; null where there is.</param>
    /// <returns>The place, which is disposed of when the session has ended; null where there is none.</returns>
    public Place? TryTake(string principal, out Refusal.LimitReached? full)
    {
        lock (_gate)
        {
            var own = _of.GetValueOrDefault(principal);
            full = principal != Callers.Anonymous && own >= MostOfOne
                ? Full($"'{principal}' has {Number(own)} sessions, the most that one principal may have at once")
                : _inAll >= MostInAll ? Full($"This server has {Number(_inAll)} sessions, the most that it takes at once") : null;
            if (full is not null) return null;
            _of[principal] = own + 1;
            _inAll++;
            return new(this, principal);
        }
    }

    private void GiveBack(string principal)
    {
        lock (_gate)
        {
            if (--_of[principal] == 0) _of.Remove(principal);
            _inAll--;
        }
    }

    private static Refusal.LimitReached Full(string what) => new(
        "sessions", Pause, $"{what}. End one that is not needed by DELETE; one without a connection ends by itself.");

    private static string Number(int number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>The place of a session, from before it begins until it has ended.</summary>
    internal sealed class Place(SessionRoom room, string principal) : IDisposable
    {
        private int _isGivenBack;

        /// <summary>A session has it: it is given back when that ends, not with the call that began it.</summary>
        public bool IsOfASession { get; set; }

        /// <summary>Gives it back, once.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isGivenBack, 1) == 0) room.GiveBack(principal);
        }
    }
}
