namespace OrleansLeases;

/// <summary>A batch as the calls that it is made of.</summary>
internal static class BatchCalls
{
    /// <summary>How many operations a batch has at most, whatever the limits of a service.</summary>
    public const int MaxOperations = 1_000;

    /// <summary>Checks a batch as a whole; its operations are checked one by one.</summary>
    /// <param name="request">The request.</param>
    /// <param name="most">How many operations it may have.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    /// <exception cref="ArgumentNullException">The request or an operation is null.</exception>
    public static Refusal? Check(BatchRequest request, int most)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (var operation in request.Operations ?? []) ArgumentNullException.ThrowIfNull(operation, nameof(request));
        var count = request.Operations?.Count ?? 0;
        return count >= 1 && count <= most
            ? null
            : Invalid("operations", $"operations has {count} entries; it takes 1 to {most}. Send several batches.");
    }

    /// <summary>Checks what only a call of its own may ask for.</summary>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(BatchOperation operation) => operation is BatchOperation.Acquire { Request.Wait.Ticks: > 0 }
        ? Invalid("waitMs", "waitMs is for a call of its own; leave it out in a batch.")
        : null;

    /// <summary>Starts every call: at once, but for those of one name, each of which starts when the one before has ended.</summary>
    /// <param name="operations">The operations.</param>
    /// <param name="call">Makes the call of one.</param>
    /// <param name="cancellationToken">From then on none is started.</param>
    /// <returns>The calls, in the order of the operations.</returns>
    public static Task<BatchResult>[] Start(
        IReadOnlyList<BatchOperation> operations, Func<BatchOperation, ValueTask<BatchResult>> call, CancellationToken cancellationToken)
    {
        var lastOfName = new Dictionary<(bool IsOfKey, string Name), Task<BatchResult>>();
        var calls = new Task<BatchResult>[operations.Count];
        for (var i = 0; i < calls.Length; i++)
        {
            var name = (operations[i].IsOfKey, operations[i].Name ?? "");
            calls[i] = lastOfName[name] = CallAsync(operations[i], lastOfName.GetValueOrDefault(name));
        }

        return calls;

        async Task<BatchResult> CallAsync(BatchOperation operation, Task? before)
        {
            if (Check(operation) is { } refusal) return BatchResult.Of<object>(refusal);
            if (before is not null) await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            return await call(operation).ConfigureAwait(false);
        }
    }

    /// <summary>Makes the call of an operation at a service.</summary>
    public static async ValueTask<BatchResult> CallAsync(
        this ILeaseService service, BatchOperation operation, CancellationToken cancellationToken)
    {
        return operation switch
        {
            BatchOperation.Acquire acquire => Of(await service.AcquireAsync(acquire.Request, cancellationToken).ConfigureAwait(false)),
            BatchOperation.Renew renew => Of(await service.RenewAsync(renew.Request, cancellationToken).ConfigureAwait(false)),
            BatchOperation.Release release => Of(await service.ReleaseAsync(release.Request, cancellationToken).ConfigureAwait(false)),
            BatchOperation.Transfer transfer => Of(await service.TransferAsync(transfer.Request, cancellationToken).ConfigureAwait(false)),
            BatchOperation.Break broken => Of(await service.BreakAsync(broken.Request, cancellationToken).ConfigureAwait(false)),
            BatchOperation.Get get => Of(await service.GetAsync(get.Request, cancellationToken).ConfigureAwait(false)),
            BatchOperation.PutKey put => Of(await service.PutKeyAsync(put.Key, put.Request, cancellationToken).ConfigureAwait(false)),
            BatchOperation.GetKey get => Of(await service.GetKeyAsync(get.Key, cancellationToken).ConfigureAwait(false)),
            BatchOperation.DeleteKey delete =>
                Of(await service.DeleteKeyAsync(delete.Key, delete.IfVersion, cancellationToken).ConfigureAwait(false)),
            BatchOperation.AddToCounter add =>
                Of(await service.AddToCounterAsync(add.Key, add.Request, cancellationToken).ConfigureAwait(false)),
            _ => throw new ArgumentException($"There is no operation {operation.GetType()}.", nameof(operation)),
        };

        static BatchResult Of<T>(LeaseResult<T> result)
            where T : class => BatchResult.Of(result);
    }

    /// <summary>The grants made for the acquires of a batch, without replayed ones, which an earlier call may have delivered.</summary>
    public static IEnumerable<(AcquireRequest Request, LeaseGrant Grant)> GrantsOf(
        IEnumerable<BatchOperation> operations, IEnumerable<BatchResult?> results) =>
        from pair in operations.Zip(results)
        let acquire = pair.First as BatchOperation.Acquire
        let grant = pair.Second?.Content as LeaseGrant
        where acquire is not null && grant is { Replayed: false }
        select (acquire.Request, grant);

    /// <summary>The results of the calls that have ended well; null for the others.</summary>
    public static IEnumerable<BatchResult?> ResultsOf(Task<BatchResult>[] calls) =>
        calls.Select(call => call.IsCompletedSuccessfully ? call.Result : null);

    /// <summary>How long the service had a batch before the first of its answers.</summary>
    /// <param name="results">The answers.</param>
    /// <param name="total">How long it had the batch.</param>
    public static TimeSpan ElapsedOf(IEnumerable<BatchResult> results, TimeSpan total)
    {
        // What a keeper says of itself counts from its own receipt, which is later than the batch's: the least is never too much.
        foreach (var result in results)
        {
            var own = result.Content switch { LeaseGrant grant => grant.Elapsed, LeaseRenewal renewal => renewal.Elapsed, _ => total };
            if (own < total) total = own;
        }

        return total;
    }

    private static Refusal.InvalidRequest Invalid(string field, string wrong) =>
        new(new Dictionary<string, string[]> { [field] = [wrong] }, wrong);
}
