using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Measuring;

// Processor seconds of the server and of its database, of this driver and of everything else on the machine, over a
// stretch of time. The server's include its database's.
internal readonly record struct CpuSeconds(double Server, double? Database, double Client, double Others, TimeSpan Elapsed)
{
    public static CpuSeconds Sample(IServer server) =>
        new(
            server.CpuSeconds, server.DatabaseCpuSeconds, server.HoldsCallers ? 0 : Environment.CpuUsage.TotalTime.TotalSeconds,
            MachineBusy(), Clock.Now);

    public static CpuSeconds operator -(CpuSeconds end, CpuSeconds start)
    {
        var server = end.Server - start.Server;
        var client = end.Client - start.Client;
        return new CpuSeconds(
            server, end.Database - start.Database, client, Math.Max(0, end.Others - start.Others - server - client),
            end.Elapsed - start.Elapsed);
    }

    // The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in hundredths of a second.
    private static double MachineBusy()
    {
        const int idle = 3, wait = 4, last = 7;
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
            .Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        return (fields[..(last + 1)].Sum() - fields[idle] - fields[wait]) / 100d;
    }
}
