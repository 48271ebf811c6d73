namespace OrleansLeases.Cli.Serving;

/// <summary>How long names are kept that are not in use. Immutable.</summary>
/// <param name="Usual">How long; zero for ever.</param>
/// <param name="ByPrefix">How long for names that start so.</param>
internal sealed record RetainedNames(TimeSpan Usual, IReadOnlyDictionary<string, TimeSpan> ByPrefix)
{
    /// <summary>What <see cref="Parse"/> reads.</summary>
    public const string Form = "DURATION[;PREFIX=DURATION]";

    /// <summary>What holds unless something else is given.</summary>
    public const string Default = "30d";

    private const int MostDays = 3650;

    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1);

    /// <summary>Reads a time for all names, and others by prefix.</summary>
    /// <exception cref="FormatException">It is malformed; the message goes behind the name of the option.</exception>
    public static RetainedNames Parse(string text)
    {
        var usual = TimeSpan.FromDays(30);
        var byPrefix = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);
        foreach (var (part, index) in text.Split(';').Select((part, index) => (part.Trim(), index)))
        {
            var equals = part.LastIndexOf('=');
            if (equals < 0 && index == 0) usual = DurationOf(part, part);
            else if (equals < 1) throw new FormatException($"is '{text}', whose part '{part}' is no PREFIX=DURATION; it takes {Form}.");
            else if (!byPrefix.TryAdd(part[..equals], DurationOf(part[(equals + 1)..], part)))
                throw new FormatException($"has the prefix '{part[..equals]}' twice; leave one out.");
        }

        return new(usual, byPrefix);
    }

    private static TimeSpan DurationOf(string text, string part)
    {
        if (!Durations.TryParse(text, out var duration) || (duration > TimeSpan.Zero && duration < Least) || duration.TotalDays > MostDays)
        {
            throw new FormatException(
                $"has '{part}', whose time is '{text}'; it takes 1m to {MostDays}d, such as 12h or 30d, or 0 for ever.");
        }

        return duration;
    }
}
