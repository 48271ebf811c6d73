using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Redis;

namespace OrleansLeases.Bench.Hosts;

internal static class RedisServer
{
    // Every write in its log on disk before the answer: the only setting of redis that promises what a lease needs.
    public static ServerProcess Start(EventLoop loop, Workspace workspace)
    {
        var port = ServerProcess.FreePort();
        var process = new ServerProcess("redis", port, "redis-server",
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", workspace.NewFolder("redis"),
            "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--save", "",
        ]);
        loop.Run(
            () => process.WaitUntilReadyAsync(loop, () => AnswersAsync(loop, port), TimeSpan.FromSeconds(30)), TimeSpan.FromSeconds(40));
        return process;
    }

    private static async Task<bool> AnswersAsync(EventLoop loop, int port)
    {
        using var connection = new RedisConnection(loop, port);
        return await connection.SendAsync(Resp.Command("PING"), "+PONG\r\n"u8.ToArray());
    }
}
