using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Http;

namespace OrleansLeases.Bench.Hosts;

internal static class EtcdServer
{
    // One member, as installed: its defaults, every write in its log on disk before the answer.
    public static ServerProcess Start(EventLoop loop, Workspace workspace)
    {
        var port = ServerProcess.FreePort();
        var peer = ServerProcess.FreePort();
        var process = new ServerProcess("etcd", port, "etcd",
        [
            "--data-dir", workspace.NewFolder("etcd"),
            "--listen-client-urls", Url(port), "--advertise-client-urls", Url(port),
            "--listen-peer-urls", Url(peer), "--initial-advertise-peer-urls", Url(peer),
            "--initial-cluster", $"default={Url(peer)}",
            // Room for a long run's history; it changes nothing else.
            "--quota-backend-bytes", "8589934592",
            "--logger", "zap", "--log-level", "error",
        ]);
        loop.Run(
            () => process.WaitUntilReadyAsync(loop, () => IsHealthyAsync(loop, port), TimeSpan.FromSeconds(30)), TimeSpan.FromSeconds(40));
        return process;
    }

    private static string Url(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private static async Task<bool> IsHealthyAsync(EventLoop loop, int port)
    {
        using var connection = new HttpConnection(loop, port);
        return (await connection.GetAsync("/health")).Status == 200;
    }
}
