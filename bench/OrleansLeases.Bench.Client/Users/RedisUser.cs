using OrleansLeases.Bench.Driving;
using StackExchange.Redis;

namespace OrleansLeases.Bench.Client.Users;

// StackExchange.Redis: SET NX PX, and scripts that act only where the value is still the owner's.
internal sealed class RedisUser : IRenewingUser
{
    private const string DeleteMine = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";
    private const string ExtendMine =
        "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) else return 0 end";

    private readonly ConnectionMultiplexer _connection;
    private readonly IDatabase _database;

    private RedisUser(ConnectionMultiplexer connection) => (_connection, _database) = (connection, connection.GetDatabase());

    public string Library => "StackExchange.Redis";

    public static async Task<RedisUser> ConnectAsync(int port) => new(await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port}"));

    public async Task CycleAsync(int worker)
    {
        await TakeAsync($"users/{worker}", worker, TimeSpan.FromMinutes(1));
        await ScriptAsync(DeleteMine, $"users/{worker}", Owner(worker));
    }

    public Task HoldAsync(int worker) => TakeAsync($"held/{worker}", worker, TimeSpan.FromHours(1));

    public Task RenewAsync(int worker) => ScriptAsync(ExtendMine, $"held/{worker}", Owner(worker), 3_600_000);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static RedisValue Owner(int worker) => $"worker-{worker}";

    private async Task TakeAsync(string key, int worker, TimeSpan ttl)
    {
        if (!await _database.StringSetAsync(key, Owner(worker), ttl, When.NotExists))
            throw new BenchException($"Redis has {key} already.");
    }

    private async Task ScriptAsync(string script, string key, params RedisValue[] arguments)
    {
        if ((int)await _database.ScriptEvaluateAsync(script, [key], arguments) != 1)
            throw new BenchException($"Redis has lost {key}.");
    }
}
