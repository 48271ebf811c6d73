using Microsoft.Extensions.Logging.Console;

namespace OrleansLeases;

/// <summary>How a server logs: to stderr, a line for each event, as text for people or as JSON for machines.</summary>
internal sealed record ServerLog
{
    public const string Text = "text";
    public const string Json = "json";

    // Where the start is logged, and what a person would want to know of by itself.
    private const string OwnCategory = "OrleansLeases";
    private const string AuditCategory = "OrleansLeases.Audit";

    /// <summary><c>text</c> or <c>json</c>.</summary>
    public string Format { get; init; } = Text;

    /// <summary>The least level that is logged, by the beginning of a category's name; <c>Default</c> is for all others.</summary>
    public IReadOnlyDictionary<string, LogLevel> Levels { get; init; } = new Dictionary<string, LogLevel>();

    /// <summary>Reads levels: <c>Information</c>, or <c>OrleansLeases=Debug;Microsoft=Error</c>.</summary>
    /// <param name="text">The levels, separated by semicolons.</param>
    /// <exception cref="FormatException">A level is none; the message goes on after the name of the option.</exception>
    public static IReadOnlyDictionary<string, LogLevel> ParseLevels(string text)
    {
        var levels = new Dictionary<string, LogLevel>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (category, level) = part.Split('=', 2, StringSplitOptions.TrimEntries) is [var name, var given]
                ? (name, given)
                : ("Default", part);
            if (!Enum.TryParse<LogLevel>(level, ignoreCase: true, out var known) || !Enum.IsDefined(known) || char.IsAsciiDigit(level[0]))
            {
                var all = string.Join(", ", Enum.GetNames<LogLevel>());
                throw new FormatException($"has '{part}'; it takes a level, or CATEGORY=LEVEL, and the levels are {all}.");
            }

            levels[category] = known;
        }

        return levels;
    }

    /// <summary>Says what is wrong with a format; null where nothing is.</summary>
    public static string? ProblemOf(string format) =>
        format is Text or Json ? null : $"is '{format}'; it takes {Text} or {Json}.";

    /// <summary>Has a host log so.</summary>
    public ILoggingBuilder Apply(ILoggingBuilder logging)
    {
        logging.ClearProviders().SetMinimumLevel(LevelOf("Default") ?? LogLevel.Warning)
            .AddFilter(OwnCategory, LevelOf("Default") ?? LogLevel.Information)
            // A record for each change: who wants them in the log as well says so.
            .AddFilter(AuditCategory, LogLevel.Warning)
            // The host prints a start that fails in one sentence instead.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (Format == Json)
        {
            logging.AddJsonConsole(console => (console.TimestampFormat, console.UseUtcTimestamp) = ("O", true));
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                (console.TimestampFormat, console.UseUtcTimestamp) = ("yyyy-MM-dd HH:mm:ss.fffZ ", true);
                console.ColorBehavior = LoggerColorBehavior.Disabled;
            });
        }

        foreach (var (category, level) in Levels)
            if (category != "Default") logging.AddFilter(category, level);
        return logging;
    }

    private LogLevel? LevelOf(string category) => Levels.TryGetValue(category, out var level) ? level : null;
}

/// <summary>What a server says of itself once it serves: one line with what matters.</summary>
internal static partial class StartLog
{
    [LoggerMessage(
        7001, LogLevel.Information,
        "leases {Version} serves at {Addresses}: engine {Engine}, kept in {Place}, epoch {Epoch}, grace {Grace}, credentials "
            + "{Credentials}.")]
    public static partial void Started(
        ILogger logger, string version, string addresses, string engine, string place, int epoch, TimeSpan grace, string credentials);

    /// <summary>Logs it, once the service has said what it is; not where it cannot.</summary>
    public static async Task LogAsync(IServiceProvider services, IEnumerable<string> urls, string place, bool wantsCredentials)
    {
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("OrleansLeases.Server");
        if (!logger.IsEnabled(LogLevel.Information)) return;
        if (!(await services.GetRequiredService<ILeaseService>().InfoAsync()).TryGetValue(out var info, out _)) return;
        Started(
            logger, info.Version, string.Join(", ", urls), info.Engine, place, info.Epoch, info.Grace, wantsCredentials ? "on" : "off");
    }
}
