using System.Diagnostics;
using System.Globalization;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Hosts;

// A private PostgreSQL from the installed binaries, as installed: every commit in its log on disk before the answer.
internal sealed class PostgresServer : IDisposable
{
    private const string Account = "postgres";
    private const int Sigquit = 3;

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);

    private readonly ServerProcess _process;

    private PostgresServer(ServerProcess process) => _process = process;

    // Where it is installed; null where it is not.
    public static string? Binaries { get; } = FindBinaries();

    public int ProcessId => _process.ProcessId;

    public string ConnectionString =>
        string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_process.Port};Database=postgres;Username={Account}");

    public double CpuSeconds => ProcessTime.OfFamily(_process.ProcessId);

    public static PostgresServer Start(EventLoop loop, Workspace workspace)
    {
        var folder = workspace.NewFolder("postgres");
        if (Environment.IsPrivilegedProcess)
            Tool.Run(new ProcessStartInfo("chown", [Account, folder]));
        Tool.Run(Command(folder, "initdb", "-D", Path.Combine(folder, "data"), "-U", Account, "-A", "trust", "-E", "UTF8", "--locale=C"));

        var port = ServerProcess.FreePort();
        var number = port.ToString(CultureInfo.InvariantCulture);
        // Room for the pools of three silos; nothing else is set. An immediate shutdown leaves no shared memory behind.
        var start = Command(
            folder, "postgres", "-D", Path.Combine(folder, "data"), "-p", number, "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c",
            "max_connections=400");
        var process = new ServerProcess("postgres", port, start, endSignal: Sigquit);
        loop.Run(
            () => process.WaitUntilReadyAsync(
                loop, () => Task.FromResult(Tool.Succeeds(Command(folder, "pg_isready", "-q", "-h", "127.0.0.1", "-p", number))),
                ReadyLimit),
            ReadyLimit + TimeSpan.FromSeconds(5));
        return new PostgresServer(process);
    }

    public void Dispose() => _process.Dispose();

    // It refuses to run as root, so root runs it as the account that its package made.
    private static ProcessStartInfo Command(string folder, string program, params string[] arguments)
    {
        var path = Path.Combine(
            Binaries ?? throw new BenchException("PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/initdb)."), program);
        var start = Environment.IsPrivilegedProcess
            ? new ProcessStartInfo("setpriv", [$"--reuid={Account}", $"--regid={Account}", "--init-groups", path, .. arguments])
            : new ProcessStartInfo(path, arguments);
        start.WorkingDirectory = folder;
        return start;
    }

    private static string? FindBinaries() => !Directory.Exists("/usr/lib/postgresql") ? null
        : Directory.GetDirectories("/usr/lib/postgresql")
            .OrderByDescending(
                version => double.TryParse(Path.GetFileName(version), CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Select(version => Path.Combine(version, "bin"))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));
}
