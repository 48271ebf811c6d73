using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Checking;

/// <summary>All that the histories of one resource have shown, and how it agrees with what holders were told.</summary>
/// <param name="resource">Its name.</param>
/// <param name="ownersAskOnce">Whether each owner has one request only: a second grant of it applied that twice.</param>
internal sealed class Book(string resource, bool ownersAskOnce)
{
    private readonly Dictionary<long, LeaseEvent> _events = [];
    private readonly Dictionary<long, LeaseEvent> _grants = [];
    private readonly Dictionary<long, LeaseEvent> _ends = [];
    private readonly HashSet<string> _owners = [];

    // What a history that was read too late no longer tells is of tokens from the first to the second.
    private readonly List<(long First, long Last)> _missed = [];
    private LeaseEvent? _last;

    public string Resource => resource;

    /// <summary>Takes in what a history shows.</summary>
    /// <returns>What of it contradicts what earlier ones have shown, or must never happen.</returns>
    public IEnumerable<string> Enter(LeaseHistory history)
    {
        var (last, newest) = (_last?.Sequence ?? 0, history.Events.Count == 0 ? 0 : history.Events[^1].Sequence);
        if (newest < last) yield return $"'{resource}' has forgotten its changes after {newest}; {_last} was shown before.";
        foreach (var shown in history.Events)
        {
            if (_events.TryAdd(shown.Sequence, shown))
            {
                foreach (var fault in Enter(shown)) yield return fault;
            }
            else if (!IsSame(_events[shown.Sequence], shown))
            {
                yield return $"The history of '{resource}' showed {_events[shown.Sequence]}, and then {shown}.";
            }
        }
    }

    /// <summary>Looks for what the holder of a token was told, once the history of some later time was entered.</summary>
    /// <param name="tenure">What it was told.</param>
    /// <param name="done">Whether it had been told by then that its release or transfer was done.</param>
    public string? FindFault(Ledger.Tenure tenure, bool done)
    {
        if (_missed.Exists(missed => missed.First <= tenure.Token && tenure.Token <= missed.Last)) return null;
        if (!_grants.TryGetValue(tenure.Token, out var granted) || granted.Owner != tenure.Owner)
            return $"The grant of {tenure} is lost: its history has {granted?.ToString() ?? "none of this token"}.";
        if (!_ends.TryGetValue(tenure.Token, out var end))
            return done ? $"{tenure} was told that it was {tenure.Asked}, and is not." : null;
        // Whether it expired too soon, its holder finds out by itself.
        if (end.Kind != tenure.Asked && (done || end.Kind != LeaseEventKind.Expired))
            return $"{tenure} ended by {end}; it asked for {tenure.Asked?.ToString() ?? "nothing"}, and was told that it was done: {done}.";
        return null;
    }

    // What is stored tells the time in milliseconds.
    private static bool IsSame(LeaseEvent one, LeaseEvent other) =>
        one with { At = other.At } == other && (one.At - other.At).Duration() <= TimeSpan.FromMilliseconds(1);

    private IEnumerable<string> Enter(LeaseEvent shown)
    {
        var before = _last;
        _last = shown;
        if (shown.Sequence != (before?.Sequence ?? 0) + 1)
        {
            _missed.Add((before?.Token ?? 0, shown.Token));
            before = null;
        }

        var granted = shown.Kind == LeaseEventKind.Granted;
        if (!(granted ? _grants : _ends).TryAdd(shown.Token, shown)) yield return $"'{resource}' has a second {shown}.";
        if (granted && !_owners.Add(shown.Owner) && ownersAskOnce) yield return $"'{resource}' granted one request twice: {shown}.";
        if (before is null) yield break;
        var ended = before.Kind != LeaseEventKind.Granted;
        if (granted != ended || (granted ? shown.Token <= before.Token : shown.Token != before.Token))
            yield return $"'{resource}' has {before}, followed by {shown}.";
    }
}
