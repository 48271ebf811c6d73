using System.Diagnostics;

namespace OrleansLeases.Torture.Worlds;

/// <summary>The wall clock of a process, to be stepped while it runs, by a library that is preloaded into it (wall_clock.c).</summary>
internal sealed class WallClock
{
    // Two of them are never further apart than ClockSkew, the second of allowance that is promised.
    private static readonly TimeSpan Furthest = TimeSpan.FromMilliseconds(400);

    private static readonly Lazy<string?> Library = new(Compile);

    private readonly string _file;

    private WallClock(string file) => _file = file;

    /// <summary>Whether there is a C compiler on the machine.</summary>
    public static bool IsAvailable => Library.Value is not null;

    /// <summary>What the process is started with.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        new Dictionary<string, string> { ["LD_PRELOAD"] = Library.Value!, ["TORTURE_CLOCK"] = _file };

    /// <summary>Makes a clock that is right at first; null where there is no C compiler.</summary>
    /// <param name="file">Where its offset is kept.</param>
    public static WallClock? TryMake(string file)
    {
        if (!IsAvailable) return null;
        var clock = new WallClock(file);
        clock.Set(TimeSpan.Zero);
        return clock;
    }

    /// <summary>Steps it, to somewhere within what is allowed.</summary>
    public void Step(Random random) => Set(((random.NextDouble() * 2) - 1) * Furthest);

    /// <summary>Sets how far it is off.</summary>
    public void Set(TimeSpan offset)
    {
        // Eight bytes at once: the process maps the file, and must see either the old ones or the new.
        using var file = new FileStream(_file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(BitConverter.GetBytes(offset.Ticks * TimeSpan.NanosecondsPerTick));
    }

    private static string? Compile()
    {
        var folder = new TempFolder();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => folder.Dispose();
        var library = Path.Combine(folder.Path, "wall_clock.so");
        var source = Path.Combine(AppContext.BaseDirectory, "Worlds", "wall_clock.c");
        try
        {
            using var compiler = Process.Start("cc", ["-shared", "-fPIC", "-O2", "-o", library, source]);
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? library : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
