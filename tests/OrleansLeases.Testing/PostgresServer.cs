using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Testing;

/// <summary>
/// A private PostgreSQL from the installed binaries, in a temporary folder, on a free port of this machine: a test may
/// kill it and start it again. It ends with the process. PostgreSQL refuses root, so root runs it as an account without rights.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string SystemAccount = "postgres";
    private const string PidFile = "postmaster.pid";
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    private static readonly Lazy<Task<string>> OfThisProcess = new(async () =>
    {
        var given = Environment.GetEnvironmentVariable("LEASES_TEST_POSTGRES");
        if (!string.IsNullOrEmpty(given)) return given;
        // What these tests store need not survive the machine.
        var server = await StartAsync("fsync=off");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.DisposeAsync().AsTask().Wait();
        return server.ConnectionString;
    });

    private readonly string _binaries;
    private readonly DirectoryInfo _folder;
    private readonly int _port;
    private readonly string[] _settings;

    private PostgresServer(string binaries, DirectoryInfo folder, int port, string[] settings) =>
        (_binaries, _folder, _port, _settings) = (binaries, folder, port, settings);

    /// <summary>Connects to the database that every server has.</summary>
    public string ConnectionString =>
        $"Host=127.0.0.1;Port={_port.ToString(CultureInfo.InvariantCulture)};Database=postgres;Username={SystemAccount};Timeout=60";

    /// <summary>Where it listens on this machine.</summary>
    public int Port => _port;

    /// <summary>
    /// The database that tests share: the one that <c>LEASES_TEST_POSTGRES</c> names, or a private one that ends with the process.
    /// </summary>
    /// <returns>Its connection string.</returns>
    public static Task<string> SharedAsync() => OfThisProcess.Value;

    /// <summary>Whether that one is not ours to make roles in.</summary>
    public static bool IsSharedGiven => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("LEASES_TEST_POSTGRES"));

    /// <summary>Makes a server and starts it.</summary>
    /// <param name="settings">Settings beside the defaults, such as <c>fsync=off</c>.</param>
    /// <returns>The server, once it takes connections.</returns>
    /// <exception cref="InvalidOperationException">There is no PostgreSQL on this machine, or it does not start.</exception>
    public static Task<PostgresServer> StartAsync(params string[] settings) => StartAsync(new Dictionary<string, string>(), settings);

    /// <summary>Makes a server with files of the caller's in its folder, such as <c>server.key</c> or <c>pg_hba.conf</c>.</summary>
    /// <param name="files">Their names and what is in them.</param>
    /// <param name="settings">Settings beside the defaults, such as <c>ssl=on</c>.</param>
    /// <returns>The server, once it takes connections.</returns>
    /// <exception cref="InvalidOperationException">There is no PostgreSQL on this machine, or it does not start.</exception>
    public static async Task<PostgresServer> StartAsync(IReadOnlyDictionary<string, string> files, params string[] settings)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(settings);
        var server = new PostgresServer(
            FindBinaries(), Directory.CreateTempSubdirectory("orleans-leases-postgres-"), Ports.Free(), settings);
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", SystemAccount, server._folder.FullName);
        await server.RunAsServerAsync(
            "initdb", "-D", server.Data, "-U", SystemAccount, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(server.Data, name);
            await File.WriteAllTextAsync(path, text);
            // The server refuses a key that others may read.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (Environment.IsPrivilegedProcess) await RunAsync("chown", SystemAccount, path);
        }

        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts it again after <see cref="StopAsync"/>.</summary>
    /// <returns>When it takes connections.</returns>
    public async Task StartAgainAsync()
    {
        var port = _port.ToString(CultureInfo.InvariantCulture);
        var options = $"-p {port} -k {_folder.FullName} -c listen_addresses=127.0.0.1 -c max_connections=300";
        var log = Path.Combine(_folder.FullName, "log");
        try
        {
            await RunAsServerAsync(
                "pg_ctl", "start", "-w", "-D", Data, "-l", log, "-o",
                string.Join(' ', [options, .. _settings.Select(setting => $"-c {setting}")]));
        }
        catch (InvalidOperationException error) when (File.Exists(log))
        {
            throw new InvalidOperationException($"{error.Message} {string.Join('\n', File.ReadLines(log).TakeLast(20))}", error);
        }
    }

    /// <summary>Stops it.</summary>
    /// <param name="mode"><c>fast</c> ends sessions in order, <c>immediate</c> is a crash.</param>
    /// <returns>When it has ended.</returns>
    public Task StopAsync(string mode = "fast") => RunAsServerAsync("pg_ctl", "stop", "-w", "-m", mode, "-D", Data);

    /// <summary><c>kill -9</c> of the server and of every process that it started.</summary>
    /// <returns>When none of them is left.</returns>
    [SupportedOSPlatform("linux")]
    public async Task KillAsync()
    {
        var all = await StopAllAsync();
        foreach (var process in all.Where(Signals.IsAlive)) Signals.Send(process, Signals.Kill);
        await UntilAsync(() => !all.Any(Signals.IsAlive));
        // Until someone reaps it, its number is taken, and a new server would take it for alive.
        File.Delete(Path.Combine(Data, PidFile));
        foreach (var socket in _folder.GetFiles(".s.PGSQL.*.lock")) socket.Delete();
    }

    /// <summary>Stops the server and every process that it started where they are (SIGSTOP), and lets them go on after a while.</summary>
    /// <param name="length">How long nothing of it runs.</param>
    /// <returns>When they run again.</returns>
    [SupportedOSPlatform("linux")]
    public async Task FreezeAsync(TimeSpan length)
    {
        var all = await StopAllAsync();
        foreach (var process in all.Skip(1).Where(Signals.IsAlive)) Signals.Send(process, Signals.Stop);
        await Task.Delay(length, TimeProvider.System);
        foreach (var process in all.Where(Signals.IsAlive)) Signals.Send(process, Signals.Continue);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, PidFile))) await StopAsync("immediate");
        _folder.Delete(recursive: true);
    }

    // The server itself, stopped, and those that it started: once it has stopped, it starts no more of them.
    [SupportedOSPlatform("linux")]
    private async Task<int[]> StopAllAsync()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Data, PidFile));
        var server = int.Parse(lines[0], CultureInfo.InvariantCulture);
        Signals.Send(server, Signals.Stop);
        await UntilAsync(() => Signals.IsStopped(server));
        return [server, .. Signals.ChildrenOf(server)];
    }

    private static async Task UntilAsync(Func<bool> happened)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!happened())
        {
            if (TimeProvider.System.GetElapsedTime(started) > WaitTimeout) throw new TimeoutException("PostgreSQL takes no signals.");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    private string Data => Path.Combine(_folder.FullName, "data");

    private static string FindBinaries()
    {
        var places = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(
                version => Path.Combine(version, "bin"))
            : [];
        return places.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(place => File.Exists(Path.Combine(place, "initdb")))
            ?? throw new InvalidOperationException(
                "There is no PostgreSQL server on this machine (initdb is not found). Install it, or name one with LEASES_TEST_POSTGRES.");
    }

    private Task RunAsServerAsync(string program, params string[] arguments) => Environment.IsPrivilegedProcess
        ? RunAsync("runuser", ["-u", SystemAccount, "--", Path.Combine(_binaries, program), .. arguments])
        : RunAsync(Path.Combine(_binaries, program), arguments);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // The server would keep a redirected stream open, and inherits the folder it is started from.
        var start = new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory = Path.GetTempPath(), ArgumentList = { "-c", "exec \"$@\" </dev/null >/dev/null 2>&1", "sh", program },
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync().WaitAsync(WaitTimeout);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
