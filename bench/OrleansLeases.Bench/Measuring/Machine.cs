using System.Globalization;
using System.Runtime.InteropServices;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Measuring;

// What the figures were taken on. The time of a flush to disk bounds every durable figure of every server.
internal sealed record Machine(
    string Processor, int Cores, double MemoryGiB, string System, string Runtime, string FileSystem, double FlushMs, string LoadAverage)
{
    private const int Flushes = 200;

    // Running processes over the last minute.
    public double Load => double.Parse(LoadAverage.Split(' ')[0], CultureInfo.InvariantCulture);

    public static Machine Describe(string dataFolder) => new(
        FirstValue("/proc/cpuinfo", "model name"),
        Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30), 1),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        new DriveInfo(dataFolder).DriveFormat,
        MedianFlushMs(dataFolder),
        File.ReadAllText("/proc/loadavg").Trim());

    public override string ToString() =>
        $"machine: {Processor}, {Cores} cores, {MemoryGiB:0.#} GiB, {System}, {Runtime}; data on {FileSystem}, "
        + $"4 KiB write and flush {FlushMs:0.000} ms; load average at the start {LoadAverage}";

    private static string FirstValue(string file, string field) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";

    private static double MedianFlushMs(string folder)
    {
        var path = Path.Combine(folder, "flush");
        var samples = new Samples();
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            var page = new byte[4096];
            for (var i = 0; i < Flushes; i++)
            {
                var start = Clock.Now;
                RandomAccess.Write(file, page, (long)i * page.Length);
                RandomAccess.FlushToDisk(file);
                samples.Add(Clock.Now - start);
            }
        }

        File.Delete(path);
        return samples.Median;
    }
}
