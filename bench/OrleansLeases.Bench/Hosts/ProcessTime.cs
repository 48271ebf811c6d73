using System.Globalization;

namespace OrleansLeases.Bench.Hosts;

// Seconds of processor time so far, in user and kernel mode, from /proc.
internal static class ProcessTime
{
    private const double ClockTicksPerSecond = 100;

    public static double Of(int process) => Ticks(process, withEnded: false) / ClockTicksPerSecond;

    // With its children, those at work and those that have ended.
    public static double OfFamily(int parent)
    {
        var ticks = Ticks(parent, withEnded: true);
        foreach (var child in File.ReadAllText($"/proc/{parent}/task/{parent}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                ticks += Ticks(int.Parse(child, CultureInfo.InvariantCulture), withEnded: true);
            }
            catch (IOException)
            {
                // It ended just now: its parent has its time.
            }
        }

        return ticks / ClockTicksPerSecond;
    }

    // Behind the name: 11 user, 12 kernel, 13 and 14 the same of children that ended.
    private static long Ticks(int process, bool withEnded)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[11..(withEnded ? 15 : 13)].Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
    }
}
