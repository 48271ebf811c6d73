namespace OrleansLeases.Core;

/// <summary>Several calls in one, each of which passes the front as if it had come by itself. Decision batch-is-its-calls.</summary>
internal sealed partial class ServiceFront
{
    // Real time, whatever clock the leases are under: what the others got grows old meanwhile. Decision batch-answers-in-two-seconds.
    private static readonly TimeSpan LongestBatch = TimeSpan.FromSeconds(2);

    public ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default) =>
        IsObserved ? RunObservedBatchAsync(request, cancellationToken) : RunBatchAsync(request, cancellationToken);

    private async ValueTask<LeaseResult<BatchReply>> RunBatchAsync(BatchRequest request, CancellationToken cancellationToken)
    {
        var checks = _checks ?? await FindChecksAsync(cancellationToken).ConfigureAwait(false);
        if (checks.Check(request) is { } invalid) return invalid;
        cancellationToken.ThrowIfCancellationRequested();

        Metrics?.Batched("batch", request.Operations.Count);
        var start = time.GetTimestamp();
        var batch = new Batch(this, checks, cancellationToken);
        var calls = BatchCalls.Start(request.Operations, batch.CallAsync, cancellationToken);
        try
        {
            var results = await Task.WhenAll(calls).ConfigureAwait(false);
            return new BatchReply { Elapsed = BatchCalls.ElapsedOf(results, time.GetElapsedTime(start)), Results = results };
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Each call that was cancelled sees to its own grant.
            foreach (var (_, grant) in BatchCalls.GrantsOf(request.Operations, BatchCalls.ResultsOf(calls)))
                _ = Background.Run(() => GiveBackAsync(grant).AsTask());
            throw;
        }
    }

    /// <summary>One batch under way.</summary>
    private sealed class Batch(ServiceFront front, RequestChecks checks, CancellationToken cancellationToken)
    {
        private static readonly Refusal NotBegun = new Refusal.Unavailable(
            TimeSpan.FromSeconds(1),
            "It was not begun: an operation of the same name, earlier in the batch, has not been answered in time. Ask again.");

        private readonly long _start = front.RealTime.GetTimestamp();

        public ValueTask<BatchResult> CallAsync(BatchOperation operation) => operation switch
        {
            BatchOperation.Acquire acquire => CallAsync(Verbs.Acquire, acquire.Request),
            BatchOperation.Renew renew => CallAsync(Verbs.Renew, renew.Request),
            BatchOperation.Release release => CallAsync(Verbs.Release, release.Request),
            BatchOperation.Transfer transfer => CallAsync(Verbs.Transfer, transfer.Request),
            BatchOperation.Break broken => CallAsync(Verbs.Break, broken.Request),
            BatchOperation.Get get => CallAsync(Verbs.Get, get.Request),
            BatchOperation.PutKey put => CallAsync(Verbs.PutKey, (put.Key, put.Request)),
            BatchOperation.GetKey get => CallAsync(Verbs.GetKey, get.Key),
            BatchOperation.DeleteKey delete => CallAsync(Verbs.DeleteKey, (delete.Key, delete.IfVersion)),
            BatchOperation.AddToCounter add => CallAsync(Verbs.AddToCounter, (add.Key, add.Request)),
            _ => throw new ArgumentException($"There is no operation {operation.GetType()}.", nameof(operation)),
        };

        private ValueTask<LeaseResult<TReply>> ObservedAsync<TRequest, TReply>(
            Verb<TRequest, TReply> verb, TRequest request, TimeSpan left)
            where TReply : class => front.ObserveAsync(
                verb.Name, NameIn(verb, request), () => front.RunCheckedAsync(verb, request, checks, left, cancellationToken));

        private async ValueTask<BatchResult> CallAsync<TRequest, TReply>(Verb<TRequest, TReply> verb, TRequest request)
            where TReply : class
        {
            var left = LongestBatch - front.RealTime.GetElapsedTime(_start);
            if (left <= TimeSpan.Zero) return BatchResult.Of<TReply>(NotBegun);
            return BatchResult.Of(front.IsObserved
                ? await ObservedAsync(verb, request, left).ConfigureAwait(false)
                : await front.RunCheckedAsync(verb, request, checks, left, cancellationToken).ConfigureAwait(false));
        }
    }
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks the size of a batch; its operations are checked one by one.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(BatchRequest request) => BatchCalls.Check(request, limits.MaxBatch);
}
