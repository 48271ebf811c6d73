using System.Diagnostics;
using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Http;

namespace OrleansLeases.Bench.Hosts;

internal static class LeaseServer
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);

    public static ServerProcess Start(EventLoop loop, string program, string data, params string[] more)
    {
        var process = Launch(program, data, more);
        loop.Run(() => WaitUntilReadyAsync(loop, process), ReadyLimit + TimeSpan.FromSeconds(5));
        return process;
    }

    public static ServerProcess Launch(string program, string data, params string[] more)
    {
        var port = ServerProcess.FreePort();
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        return new ServerProcess("leases", port, "dotnet", [program, "serve", "--data", data, "--urls", url, .. more]);
    }

    // With as much memory for .NET as it takes in a container, which is three quarters of the container's.
    public static ServerProcess StartInContainer(EventLoop loop, string program, string data, long bytes)
    {
        var port = ServerProcess.FreePort();
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        var start = new ProcessStartInfo("dotnet", [program, "serve", "--data", data, "--urls", url]);
        start.Environment["DOTNET_GCHeapHardLimit"] = (bytes / 4 * 3).ToString("X", CultureInfo.InvariantCulture);
        var process = new ServerProcess("leases", port, start);
        loop.Run(() => WaitUntilReadyAsync(loop, process), ReadyLimit + TimeSpan.FromSeconds(5));
        return process;
    }

    // With metrics and traces on, for a collector that is away.
    public static ServerProcess StartObserved(EventLoop loop, string program, string data)
    {
        var port = ServerProcess.FreePort();
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
        var start = new ProcessStartInfo("dotnet", [program, "serve", "--data", data, "--urls", url]);
        start.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9";
        start.Environment["OTEL_TRACES_SAMPLER"] = "parentbased_traceidratio";
        start.Environment["OTEL_TRACES_SAMPLER_ARG"] = "0.01";
        var process = new ServerProcess("leases", port, start);
        loop.Run(() => WaitUntilReadyAsync(loop, process), ReadyLimit + TimeSpan.FromSeconds(5));
        return process;
    }

    public static Task WaitUntilReadyAsync(EventLoop loop, ServerProcess process) =>
        process.WaitUntilReadyAsync(loop, () => IsReadyAsync(loop, process.Port), ReadyLimit);

    private static async Task<bool> IsReadyAsync(EventLoop loop, int port)
    {
        using var connection = new HttpConnection(loop, port);
        return (await connection.GetAsync("/health/ready")).Status == 200;
    }
}
