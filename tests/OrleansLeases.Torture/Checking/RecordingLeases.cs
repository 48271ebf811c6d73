using System.Collections.Concurrent;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Checking;

/// <summary>Passes calls on, and writes down those that change or show a lease. Thread-safe.</summary>
/// <param name="inner">The service.</param>
/// <param name="clock">Whose time the calls are written down with.</param>
internal sealed class RecordingLeases(ILeaseService inner, Ledger clock) : ForwardingLeases(inner)
{
    private readonly ConcurrentQueue<RecordedCall> _calls = new();
    private long _count;

    /// <summary>What was written down.</summary>
    public IEnumerable<RecordedCall> Calls => _calls;

    /// <summary>How many calls were made.</summary>
    public long Count => Interlocked.Read(ref _count);

    public override ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
        AcquireRequest request, CancellationToken cancellationToken = default) =>
        RecordAsync(request, () => base.AcquireAsync(request, cancellationToken));

    public override ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default) =>
        RecordAsync(request, () => base.RenewAsync(request, cancellationToken));

    public override async ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _count);
        var invoked = clock.Now;
        var answer = await base.RenewBatchAsync(request, cancellationToken);
        if (answer.TryGetValue(out var reply, out var refusal))
        {
            foreach (var (renewal, result) in request.Leases.Zip(reply.Results))
            {
                result.TryGetValue(out var renewed, out var why);
                _calls.Enqueue(new(invoked, clock.Now, renewal, renewed, why));
            }
        }
        else
        {
            foreach (var renewal in request.Leases) _calls.Enqueue(new(invoked, clock.Now, renewal, null, refusal));
        }

        return answer;
    }

    public override ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(
        ReleaseRequest request, CancellationToken cancellationToken = default) =>
        RecordAsync(request, () => base.ReleaseAsync(request, cancellationToken));

    public override ValueTask<LeaseResult<LeaseGrant>> TransferAsync(
        TransferRequest request, CancellationToken cancellationToken = default) =>
        RecordAsync(request, () => base.TransferAsync(request, cancellationToken));

    public override ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _count);
        return base.AddToCounterAsync(key, request, cancellationToken);
    }

    private async ValueTask<LeaseResult<T>> RecordAsync<T>(object request, Func<ValueTask<LeaseResult<T>>> call)
        where T : class
    {
        Interlocked.Increment(ref _count);
        var invoked = clock.Now;
        try
        {
            var answer = await call();
            answer.TryGetValue(out var reply, out var refusal);
            _calls.Enqueue(new(invoked, clock.Now, request, reply, refusal));
            return answer;
        }
        catch (OperationCanceledException)
        {
            // Its caller has gone: it may have been carried out.
            _calls.Enqueue(new(invoked, clock.Now, request, null, new Refusal.OutcomeUnknown(null, "It was cancelled.")));
            throw;
        }
    }
}
