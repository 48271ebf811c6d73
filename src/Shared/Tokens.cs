namespace OrleansLeases;

/// <summary>What a fencing token is.</summary>
internal static class Tokens
{
    /// <summary>The greatest: 53 bits, which the JSON of every language reads.</summary>
    public const long Max = (1L << 53) - 1;

    /// <summary>The greatest restore epoch: 13 bits.</summary>
    public const int MaxEpoch = (1 << 13) - 1;

    /// <summary>The restore epoch of a token: its bits above the 40 of the counter.</summary>
    public static int EpochOf(long token) => (int)(token >> 40);

    /// <summary>Whether a number can be a token.</summary>
    public static bool IsToken(long number) => number is >= 1 and <= Max;
}
