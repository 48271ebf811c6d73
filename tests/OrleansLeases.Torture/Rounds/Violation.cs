namespace OrleansLeases.Torture.Rounds;

/// <summary>Something that must never be.</summary>
/// <param name="Kind">One of the kinds of a summary.</param>
/// <param name="What">What was seen.</param>
internal sealed record Violation(string Kind, string What)
{
    public const string GrantLost = "told grants lost";
    public const string Overlap = "overlaps";
    public const string Token = "tokens repeated";
    public const string StaleWrite = "stale writes";
    public const string NoOrder = "histories without order";
    public const string Counter = "counters";
    public const string Key = "keys";
    public const string Watch = "watches";
    public const string Standstill = "standstills";

    /// <summary>All kinds, in the order of a summary.</summary>
    public static readonly string[] Kinds = [GrantLost, Overlap, Token, StaleWrite, NoOrder, Counter, Key, Watch, Standstill];

    /// <summary>What a ledger has found, as its kind.</summary>
    public static Violation OfLedger(string found) => new(
        found.StartsWith("Two held", StringComparison.Ordinal) || found.StartsWith("More than", StringComparison.Ordinal) ? Overlap
            : found.Contains(" token ", StringComparison.OrdinalIgnoreCase) && !found.Contains("was taken back", StringComparison.Ordinal)
                ? Token
            : GrantLost, found);
}
