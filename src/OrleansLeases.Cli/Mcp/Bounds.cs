namespace OrleansLeases.Cli.Mcp;

/// <summary>Checks numbers that agents give.</summary>
internal static class Bounds
{
    public static TimeSpan Wait(int seconds) => Seconds("max_wait_seconds", seconds, least: 1, most: Acquiring.MostSeconds);

    /// <exception cref="ArgumentException">It is out of bounds; the message names them.</exception>
    public static TimeSpan Seconds(string field, int value, int least, int most) => value >= least && value <= most
        ? TimeSpan.FromSeconds(value)
        : throw new ArgumentException($"{field} is {value}; it takes {least} to {most}.");
}
