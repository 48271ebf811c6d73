using static OrleansLeases.Core.Tests.KeyAnswers;

namespace OrleansLeases.Core.Tests;

/// <summary>One key and one lease, whose calls a test lets pass step by step.</summary>
public abstract class KeyRaceFixture
{
    private protected const string R = "orders/42";
    private protected const string K = "workers/7";

    private protected KeyWorld World { get; } = new();

    private protected KeyLease Grant()
    {
        var answer = World.Lease(R, LeaseCommand.Of(MachineFixture.Ask("me") with { Resource = R }));
        World.Store.AnswerAll();
        return new KeyLease { Resource = R, Owner = "me", Token = Now<LeaseGrant>(answer).Token };
    }

    private protected static LeaseCommand<LeaseRelease> ReleaseOf(KeyLease lease) =>
        LeaseCommand.Of(new ReleaseRequest { Resource = lease.Resource, Owner = lease.Owner, Token = lease.Token });

    private protected void Release(KeyLease lease)
    {
        var answer = World.Lease(R, ReleaseOf(lease));
        World.Store.AnswerAll();
        Now<LeaseRelease>(answer);
    }

    private protected Task<LeaseResult<KeyPut>> Put(string value, KeyLease? lease, string? requestId = null) =>
        World.Calls.PutAsync(K, new PutKeyRequest { Value = value, Lease = lease, RequestId = requestId ?? Guid.NewGuid().ToString("N") });

    private protected LeaseResult<KeyValue> Get()
    {
        var answer = World.Calls.GetAsync(K);
        World.Settle();
        return Result(answer);
    }

    private protected LeaseResult<T> Settled<T>(Task<LeaseResult<T>> answer)
        where T : class
    {
        World.Settle();
        return Result(answer);
    }
}
