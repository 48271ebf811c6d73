using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Hosts;

// A server under measurement: its own process, on its own free port, with its own folder below the run's.
internal sealed class ServerProcess : IServer, IDisposable
{
    private const int KeptLines = 40;

    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();

    public ServerProcess(string name, int port, string fileName, IEnumerable<string> arguments)
        : this(name, port, new ProcessStartInfo(fileName, arguments))
    {
    }

    // The signal is what ends it with the run; SIGKILL unless it would leave something behind.
    public ServerProcess(string name, int port, ProcessStartInfo start, int endSignal = Children.Sigkill)
    {
        (Name, Port) = (name, port);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = Process.Start(start) ?? throw new BenchException($"{name} did not start.");
        Children.Add(_process, endSignal);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    public int Port { get; }

    public int ProcessId => _process.Id;

    public double CpuSeconds => ProcessTime.Of(_process.Id);

    public long ResidentBytes => StatusBytes("VmRSS:");

    public long PeakResidentBytes => StatusBytes("VmHWM:");

    public static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    // Tries until the server answers as it should.
    public async Task WaitUntilReadyAsync(EventLoop loop, Func<Task<bool>> isReady, TimeSpan limit)
    {
        var end = Clock.Now + limit;
        while (true)
        {
            if (_process.HasExited)
                throw new BenchException($"{Name} ended with code {_process.ExitCode}:\n{LastLines()}");
            try
            {
                if (await isReady())
                    return;
            }
            catch (Exception error) when (error is SocketException or BenchException && Clock.Now < end)
            {
            }

            if (Clock.Now > end)
                throw new BenchException($"{Name} was not ready within {limit.TotalSeconds:0} s:\n{LastLines()}");
            await loop.WaitAsync(TimeSpan.FromMilliseconds(5));
        }
    }

    // Asks it to end as an operator would, and waits for it.
    public void Stop()
    {
        if (!_process.HasExited)
            Children.Terminate(_process);
        if (!_process.WaitForExit(TimeSpan.FromSeconds(30)))
            _process.Kill(entireProcessTree: true);
        Children.Forget(_process);
    }

    // As a power cut would.
    public void Kill() => Children.Kill(_process);

    public string LastLines()
    {
        lock (_lastLines)
            return string.Join('\n', _lastLines);
    }

    public void Dispose()
    {
        Children.Kill(_process);
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_lastLines)
        {
            _lastLines.Enqueue(line);
            if (_lastLines.Count > KeptLines)
                _lastLines.Dequeue();
        }
    }

    private long StatusBytes(string field)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line[field.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024;
    }
}
