using dotnet_etcd;
using Etcdserverpb;
using Google.Protobuf;
using Grpc.Core;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Client.Users;

// dotnet-etcd: a lease and a key under it, created if it is absent; the revocation deletes the key.
internal sealed class EtcdUser(int port, int workers) : IRenewingUser
{
    private readonly EtcdClient _client = new(
        $"http://127.0.0.1:{port}", configureChannelOptions: channel => channel.Credentials = ChannelCredentials.Insecure);
    private readonly long[] _held = new long[workers];

    public string Library => "dotnet-etcd";

    public async Task CycleAsync(int worker)
    {
        var lease = await GrantAsync(60);
        var key = ByteString.CopyFromUtf8($"users/{worker}");
        var create = new TxnRequest();
        create.Compare.Add(new Compare
        {
            Key = key, Target = Compare.Types.CompareTarget.Create, Result = Compare.Types.CompareResult.Equal, CreateRevision = 0,
        });
        create.Success.Add(new RequestOp
        {
            RequestPut = new PutRequest { Key = key, Value = ByteString.CopyFromUtf8($"worker-{worker}"), Lease = lease },
        });
        if (!(await _client.TransactionAsync(create)).Succeeded)
            throw new BenchException($"etcd has users/{worker} already.");
        await _client.LeaseRevokeAsync(new LeaseRevokeRequest { ID = lease });
    }

    public async Task HoldAsync(int worker) => _held[worker] = await GrantAsync(3_600);

    public async Task RenewAsync(int worker)
    {
        var ttl = 0L;
        await _client.LeaseKeepAlive(
            new LeaseKeepAliveRequest { ID = _held[worker] }, response => ttl = response.TTL, CancellationToken.None);
        if (ttl <= 0)
            throw new BenchException($"etcd did not renew lease {_held[worker]}.");
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<long> GrantAsync(long seconds) => (await _client.LeaseGrantAsync(new LeaseGrantRequest { TTL = seconds })).ID;
}
