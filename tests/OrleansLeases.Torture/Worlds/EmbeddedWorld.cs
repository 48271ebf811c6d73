using System.Globalization;
using OrleansLeases.Testing;
using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture.Worlds;

/// <summary><c>leases serve</c> on SQLite, behind a proxy; on a small disk and with a clock of its own where the machine lets it.</summary>
internal sealed class EmbeddedWorld : World
{
    private static readonly TimeSpan RestartPause = TimeSpan.FromMilliseconds(200);

    private readonly TempFolder _folder = new();
    private readonly TempFolder _beside = new();
    private readonly SmallDisk? _disk;
    private readonly WallClock? _clock;
    private readonly int _port = Ports.Free();
    private readonly TcpProxy _proxy;
    private readonly System.Text.StringBuilder _log = new();
    private Server _server = null!;

    private EmbeddedWorld()
    {
        _disk = SmallDisk.TryMount(_folder.Path);
        _clock = WallClock.TryMake(Path.Combine(_beside.Path, "clock"));
        _proxy = new TcpProxy(_port);
        Addresses = [new($"http://127.0.0.1:{_proxy.Port.ToString(CultureInfo.InvariantCulture)}")];
        Targets =
        [
            new("server", TimeSpan.FromSeconds(1), BreakServerAsync),
            Network("proxy", _proxy, TimeSpan.FromSeconds(5)),
            .. _disk is null ? [] : new[] { new Target("disk", TimeSpan.FromSeconds(12), FillDiskAsync) },
            .. _clock is null ? [] : new[] { Clock("clock", _clock, TimeSpan.FromSeconds(2)) },
        ];
    }

    public override IReadOnlyList<Uri> Addresses { get; }

    public override bool IsOneServer => true;

    public override IReadOnlyList<Target> Targets { get; }

    public override IEnumerable<string> LeftOut =>
        [.. _disk is null ? ["full disks, since this process may not mount"] : Array.Empty<string>(), .. LeftOutWithoutClocks];

    public override IEnumerable<(string Name, string Log)> Logs => [("server", $"{_log}{_server.Error}")];

    public static async Task<World> StartAsync()
    {
        var world = new EmbeddedWorld();
        await world.StartServerAsync();
        return world;
    }

    public override Task MakeWholeAsync() => Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _proxy.DisposeAsync();
        _disk?.Dispose();
        _folder.Dispose();
        _beside.Dispose();
    }

    private async Task BreakServerAsync(Random random)
    {
        switch (random.Next(10))
        {
            case < 6:
                Counts.Add("kills");
                await _server.KillAsync();
                await StartServerAsync();
                break;
            case < 9:
                Counts.Add("freezes");
                _server.Freeze();
                await Task.Delay(Between(random, 200, 2500), TimeProvider.System);
                _server.Thaw();
                break;
            default:
                Counts.Add("restarts");
                _server.AskToEnd();
                await _server.ExitCodeAsync();
                await StartServerAsync();
                break;
        }
    }

    private async Task FillDiskAsync(Random random)
    {
        Counts.Add("full disks");
        _disk!.Fill();
        await Task.Delay(Between(random, 200, 2000), TimeProvider.System);
        _disk.Free();
    }

    // On a full disk it may not start, until there is room again.
    private async Task StartServerAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (_server is { } before)
            {
                _log.Append(before.Error);
                await before.DisposeAsync();
            }

            _server = Server.Begin(_folder.Path, _port, _clock?.Environment);
            try
            {
                await _server.ListensAsync();
                return;
            }
            catch (InvalidOperationException) when (TimeProvider.System.GetElapsedTime(started) < StartTimeout)
            {
                Counts.Add("failed starts");
                await Task.Delay(RestartPause, TimeProvider.System);
            }
        }
    }
}
