using System.Globalization;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>
/// A command with a child that ignores SIGTERM. Both write down who they are, and the child writes the time over and
/// over for as long as it lives.
/// </summary>
internal sealed class Family : IDisposable
{
    private static readonly string[] Members = ["parent", "child"];

    private readonly string _folder = Directory.CreateTempSubdirectory("leases-run-").FullName;

    public Family()
    {
        File.WriteAllText(Script, $$"""
            cd '{{_folder}}'
            # Without a process for each beat, which would keep a core busy.
            exec 9<> <(:)
            now() { echo "${EPOCHREALTIME/[.,]/}000"; }
            pause() { read -rt 0.02 -u 9 || true; }
            now > started
            (trap '' TERM; while :; do now >> beats; pause; done) &
            echo $! > child
            trap 'echo > told' TERM
            echo $$ > parent
            while [ ! -e end ]; do pause; done
            """);
    }

    public string[] Command => ["--", "bash", Script];

    public bool WasToldToEnd => File.Exists(Path.Combine(_folder, "told"));

    public bool IsAlive => Alive.Any();

    /// <summary>Nanoseconds of Unix time, as the command itself read them.</summary>
    public long StartedAt => Number("started");

    /// <summary>The last time the child was alive to tell.</summary>
    public long LastBeat =>
        long.Parse(File.ReadLines(Path.Combine(_folder, "beats")).Last(IsBeat), CultureInfo.InvariantCulture);

    private string Script => Path.Combine(_folder, "family.sh");

    public static long Now() => (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    public Task IsUpAsync(Tool tool) => Eventually.TrueAsync(
        () => Number("parent") > 0 && File.Exists(Path.Combine(_folder, "beats"))
            && File.ReadLines(Path.Combine(_folder, "beats")).Any(IsBeat),
        () => $"The command never started: {tool.Out}{tool.Error}");

    public Task IsGoneAsync() => Eventually.TrueAsync(() => !IsAlive, () => "The command and its child are still alive.");

    /// <summary>The command ends by itself; its child does not.</summary>
    public void LetParentEnd() => File.WriteAllText(Path.Combine(_folder, "end"), "");

    public void Dispose()
    {
        foreach (var member in Alive) Signals.Send(member, Signals.Kill);
        Directory.Delete(_folder, recursive: true);
    }

    // The shell makes a file before it writes to it. Zero would mean every process of the test's group.
    private IEnumerable<int> Alive => Members.Select(name => (int)Number(name)).Where(member => member > 0 && Signals.IsAlive(member));

    private static bool IsBeat(string line) => line.Length == 19;

    private long Number(string name) => File.Exists(Path.Combine(_folder, name))
        && long.TryParse(File.ReadAllText(Path.Combine(_folder, name)), CultureInfo.InvariantCulture, out var number)
            ? number
            : 0;
}
