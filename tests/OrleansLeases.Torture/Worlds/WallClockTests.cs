using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture.Worlds;

/// <summary>The preloaded clock itself: a server, as it is installed, goes by it.</summary>
public sealed class WallClockTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TempFolder _beside = new();

    public void Dispose()
    {
        _folder.Dispose();
        _beside.Dispose();
    }

    [FactWithCompiler]
    public async Task Server_WhoseClockIsSteppedWhileItRuns_TellsTheNewTime()
    {
        var clock = WallClock.TryMake(Path.Combine(_beside.Path, "clock"))!;
        await using var server = Server.Begin(_folder.Path, environment: clock.Environment);
        await server.ListensAsync();
        clock.Set(TimeSpan.FromDays(100));

        await server.Leases.AcquireAsync(new AcquireRequest { Resource = "r", Owner = "ann", Ttl = TimeSpan.FromSeconds(30) });

        var granted = Assert.Single((await server.Leases.HistoryAsync("r")).Value.Events);
        Assert.InRange(granted.At - TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(99), TimeSpan.FromDays(101));
    }

    private sealed class FactWithCompilerAttribute : FactAttribute
    {
        public FactWithCompilerAttribute()
        {
            if (!WallClock.IsAvailable) Skip = "There is no C compiler (cc) on this machine.";
        }
    }
}
