namespace OrleansLeases;

/// <summary>What a fencing token is.</summary>
internal static class Tokens
{
    /// <summary>The greatest: 53 bits, which the JSON of every language reads.</summary>
    public const long Max = (1L << 53) - 1;

    /// <summary>Whether a number can be a token.</summary>
    public static bool IsToken(long number) => number is >= 1 and <= Max;
}
