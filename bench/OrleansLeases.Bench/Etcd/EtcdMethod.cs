namespace OrleansLeases.Bench.Etcd;

internal static class EtcdMethod
{
    public const string Grant = "/etcdserverpb.Lease/LeaseGrant";
    public const string Revoke = "/etcdserverpb.Lease/LeaseRevoke";
    public const string KeepAlive = "/etcdserverpb.Lease/LeaseKeepAlive";
    public const string Txn = "/etcdserverpb.KV/Txn";
    public const string DeleteRange = "/etcdserverpb.KV/DeleteRange";
    public const string Watch = "/etcdserverpb.Watch/Watch";
}
