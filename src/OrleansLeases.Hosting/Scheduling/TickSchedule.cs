using Cronos;

namespace OrleansLeases.Hosting.Scheduling;

/// <summary>The ticks of a cron expression in a time zone: moments of UTC, whatever the clocks of the zone show. Immutable.</summary>
internal sealed class TickSchedule(string expression, string timeZone)
{
    // How many missed ticks are counted one by one.
    private const int MostCounted = 1_000;
    private static readonly TimeSpan ShortestLookBack = TimeSpan.FromMinutes(1);

    private readonly CronExpression _expression = Parse(expression);
    private readonly TimeZoneInfo _zone = TimeZoneInfo.FindSystemTimeZoneById(timeZone);

    /// <summary>What is wrong with an expression; null where nothing is.</summary>
    public static string? FaultOf(string? expression)
    {
        try
        {
            Parse(expression ?? "");
            return null;
        }
        catch (Exception error) when (error is CronFormatException or MissingSeedException or ArgumentException)
        {
            return error.Message;
        }
    }

    /// <summary>The first tick after a moment; null where there is none any more.</summary>
    public DateTimeOffset? After(DateTimeOffset moment) => _expression.GetNextOccurrence(moment.ToUniversalTime(), _zone);

    /// <summary>The last tick after one moment that is due by another; null where there is none.</summary>
    public DateTimeOffset? LastDue(DateTimeOffset after, DateTimeOffset now)
    {
        // Forward from ever further back: the expression's own way backward finds other moments where the clock is put forward.
        for (var back = ShortestLookBack; now > after; back *= 4)
        {
            var isAll = now - after <= back;
            DateTimeOffset? last = null;
            for (var tick = After(isAll ? after : now - back); tick <= now; tick = After(tick.Value)) last = tick;
            if (last is not null || isAll) return last;
        }

        return null;
    }

    /// <summary>A tick as the clocks of the zone show it.</summary>
    public DateTimeOffset InZone(DateTimeOffset tick) => TimeZoneInfo.ConvertTime(tick, _zone);

    /// <summary>How many ticks there are between two moments, both left out; 1,000 at most.</summary>
    public int CountBetween(DateTimeOffset after, DateTimeOffset before) => before <= after
        ? 0
        : _expression.GetOccurrences(after.ToUniversalTime(), before.ToUniversalTime(), _zone, fromInclusive: false, toInclusive: false)
            .Take(MostCounted).Count();

    private static CronExpression Parse(string expression) => CronExpression.Parse(
        expression,
        expression.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Length == 6
            ? CronFormat.IncludeSeconds
            : CronFormat.Standard);
}
