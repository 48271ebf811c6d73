using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Http2;

namespace OrleansLeases.Bench.Etcd;

// The etcd v3 calls of the scenarios, over one connection; several clients may share it.
internal sealed class EtcdClient(Http2Connection connection)
{
    private const int CompareCreateRevision = 1;

    public GrpcCall OpenKeepAlive() => connection.OpenStream(EtcdMethod.KeepAlive);

    public Http2Connection Connection => connection;

    // The lease and the whole seconds it lives, which may be more than was asked for.
    public async ValueTask<(long Id, long Ttl)> GrantAsync(long ttlSeconds)
    {
        var answer = await connection.CallAsync(EtcdMethod.Grant, Grant(ttlSeconds, stackalloc byte[32]));
        var id = ProtoReader.NumberOf(answer.Span, 2);
        var ttl = ProtoReader.NumberOf(answer.Span, 3);
        return id != 0 && ttl >= ttlSeconds ? (id, ttl) : throw new BenchException("etcd granted no lease, or a shorter one.");
    }

    public async ValueTask RevokeAsync(long lease) =>
        await connection.CallAsync(EtcdMethod.Revoke, Number(1, lease, stackalloc byte[16]));

    // Puts the key under the lease if it does not exist: how etcd's recipes take a lock.
    public async ValueTask<bool> CreateAsync(string key, string value, long lease)
    {
        var answer = await connection.CallAsync(EtcdMethod.Txn, Create(key, value, lease, stackalloc byte[512]));
        return ProtoReader.NumberOf(answer.Span, 2) == 1;
    }

    public async ValueTask DeleteAsync(string key)
    {
        var answer = await connection.CallAsync(EtcdMethod.DeleteRange, Text(1, key, stackalloc byte[256]));
        if (ProtoReader.NumberOf(answer.Span, 2) != 1)
            throw new BenchException($"etcd deleted no key {key}.");
    }

    public static async ValueTask KeepAliveAsync(GrpcCall stream, long lease)
    {
        var answer = await stream.ExchangeAsync(Number(1, lease, stackalloc byte[16]));
        if (ProtoReader.NumberOf(answer.Span, 2) != lease || ProtoReader.NumberOf(answer.Span, 3) <= 0)
            throw new BenchException("etcd's keep-alive answered for another lease, or for one that has ended.");
    }

    private static ReadOnlySpan<byte> Grant(long ttlSeconds, Span<byte> target) => Number(1, ttlSeconds, target);

    private static ReadOnlySpan<byte> Number(int field, long value, Span<byte> target)
    {
        var message = new ProtoWriter(target);
        message.Number(field, value);
        return message.Written;
    }

    private static ReadOnlySpan<byte> Text(int field, string value, Span<byte> target)
    {
        var message = new ProtoWriter(target);
        message.Text(field, value);
        return message.Written;
    }

    private static ReadOnlySpan<byte> Create(string key, string value, long lease, Span<byte> target)
    {
        var compare = new ProtoWriter(stackalloc byte[256]);
        compare.Number(2, CompareCreateRevision);
        compare.Text(3, key);
        compare.Number(5, 0);

        var put = new ProtoWriter(stackalloc byte[256]);
        put.Text(1, key);
        put.Text(2, value);
        put.Number(3, lease);

        var operation = new ProtoWriter(stackalloc byte[300]);
        operation.Bytes(2, put.Written);

        var transaction = new ProtoWriter(target);
        transaction.Bytes(1, compare.Written);
        transaction.Bytes(2, operation.Written);
        return transaction.Written;
    }
}
