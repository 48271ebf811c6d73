using Npgsql;
using OrleansLeases.Torture.Rounds;

namespace OrleansLeases.Torture.Worlds;

/// <summary>A service in real processes, and what can be done to it.</summary>
internal abstract class World : IAsyncDisposable
{
    // Beyond the end of a round: as long as others break what a process needs, no start has to succeed.
    public static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

    /// <summary>What was done to it.</summary>
    public Counts Counts { get; } = new();

    /// <summary>Where clients reach it, past what stands between.</summary>
    public abstract IReadOnlyList<Uri> Addresses { get; }

    /// <summary>Whether one process answers every call, so that refusals and reads are of the moment.</summary>
    public abstract bool IsOneServer { get; }

    /// <summary>Where a fenced table can be; null without a database.</summary>
    public virtual NpgsqlDataSource? Database => null;

    /// <summary>What breaks, each part of it by itself.</summary>
    public abstract IReadOnlyList<Target> Targets { get; }

    /// <summary>What cannot be done to it on this machine, and why.</summary>
    public abstract IEnumerable<string> LeftOut { get; }

    /// <summary>What its processes wrote to their error streams.</summary>
    public abstract IEnumerable<(string Name, string Log)> Logs { get; }

    /// <summary>Has all of it up and reachable again, once nobody breaks it any more.</summary>
    public abstract Task MakeWholeAsync();

    public abstract ValueTask DisposeAsync();

    protected static TimeSpan Between(Random random, int least, int most) => TimeSpan.FromMilliseconds(random.Next(least, most));

    /// <summary>What stands between two processes, and is cut, late or a black hole.</summary>
    protected Target Network(string name, TcpProxy proxy, TimeSpan pause) => new(name, pause, async random =>
    {
        Counts.Add("network faults");
        var length = Between(random, 200, 2500);
        await (random.Next(3) switch
        {
            0 => proxy.CutAsync(length),
            1 => proxy.DelayAsync(Between(random, 20, 800), length),
            _ => proxy.HoldAsync(length, lose: random.Next(2) == 0),
        });
    });

    /// <summary>What is left out where there are no clocks to step.</summary>
    protected static IEnumerable<string> LeftOutWithoutClocks =>
        WallClock.IsAvailable ? [] : ["stepped clocks, since there is no C compiler (cc)"];

    /// <summary>The wall clock of a process, which is stepped.</summary>
    protected Target Clock(string name, WallClock clock, TimeSpan pause) => new(name, pause, random =>
    {
        Counts.Add("clock steps");
        clock.Step(random);
        return Task.CompletedTask;
    });
}

/// <summary>A part of a world that breaks.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Pause">How long it is left alone, on average.</param>
/// <param name="BreakAsync">Breaks it in one way or another, and mends it.</param>
internal sealed record Target(string Name, TimeSpan Pause, Func<Random, Task> BreakAsync);
