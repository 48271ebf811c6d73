using System.Buffers.Text;
using System.Text;
using OrleansLeases.Bench.Leases;

namespace OrleansLeases.Bench.Redis;

// One client of the usual redis lock: a value only its owner knows, compared by scripts.
internal sealed class RedisClient
{
    private const string DeleteScript = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end";
    private const string ExtendScript =
        "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('pexpire',KEYS[1],ARGV[2]) else return 0 end";

    // The hashes of the two scripts, as SCRIPT LOAD answers them.
    private const string DeleteHash = "b998f9dfb154cdbea8cda65ad5177aadf0e945a2";
    private const string ExtendHash = "53f2c61c14d7b92a6f44852b306cc8ed3636d4db";

    private static readonly byte[] Ok = "+OK\r\n"u8.ToArray();
    private static readonly byte[] One = ":1\r\n"u8.ToArray();

    private readonly RedisConnection _connection;
    private readonly byte[] _set;
    private readonly byte[] _delete;
    private readonly byte[] _extend;
    private readonly byte[] _prefix;
    private byte[] _expectedBatch = [];

    public RedisClient(RedisConnection connection, string prefix, string owner, int ttlMs)
    {
        _connection = connection;
        _prefix = Encoding.UTF8.GetBytes(prefix);
        var name = LeaseRequest.NameOf(prefix, 0);
        var ttl = ttlMs.ToString((IFormatProvider?)null);
        _set = Resp.Command("SET", name, owner, "NX", "PX", ttl);
        _delete = Resp.Command("EVALSHA", DeleteHash, "1", name, owner);
        _extend = Resp.Command("EVALSHA", ExtendHash, "1", name, owner, ttl);
    }

    public async Task LoadScriptsAsync()
    {
        foreach (var (script, hash) in new[] { (DeleteScript, DeleteHash), (ExtendScript, ExtendHash) })
        {
            var loaded = await _connection.AskAsync(Resp.Command("SCRIPT", "LOAD", script));
            if (loaded != hash)
                throw new Driving.BenchException($"redis hashes a script to {loaded}, not {hash}.");
        }
    }

    public ValueTask<bool> SetAsync(int name) => _connection.SendAsync(Name(_set, name), Ok);

    public ValueTask<bool> CompareAndDeleteAsync(int name) => _connection.SendAsync(Name(_delete, name), One);

    public ValueTask<bool> CompareAndExtendAsync(int name) => _connection.SendAsync(Name(_extend, name), One);

    // All of them in one go, pipelined.
    public byte[] ExtendBatch(IEnumerable<int> names)
    {
        var count = 0;
        using var batch = new MemoryStream();
        foreach (var name in names)
        {
            batch.Write(Name(_extend, name));
            count++;
        }

        _expectedBatch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(":1\r\n", count)));
        return batch.ToArray();
    }

    public ValueTask<bool> SendBatchAsync(byte[] batch) => _connection.SendAsync(batch, _expectedBatch);

    private byte[] Name(byte[] command, int name)
    {
        var at = command.AsSpan().IndexOf(_prefix) + _prefix.Length;
        Utf8Formatter.TryFormat(name, command.AsSpan(at, LeaseRequest.NameDigits), out _, new('D', LeaseRequest.NameDigits));
        return command;
    }
}
