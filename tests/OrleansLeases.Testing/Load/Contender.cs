namespace OrleansLeases.Testing.Load;

/// <summary>
/// A client that keeps to the contract: it repeats what was left open with the same request id, stops at its own
/// deadline, and writes down what it was told.
/// </summary>
/// <param name="number">Names its owners, and seeds its choices.</param>
/// <param name="ledger">Where it writes.</param>
/// <param name="server">The server to ask: the number goes up by one each time a server did not say what came of a call.</param>
public sealed class Contender(int number, Ledger ledger, Func<int, ILeaseService> server)
{
    private readonly Random _random = new(number);
    private int _failures;

    /// <summary>How long it waits before it repeats a call that was left open.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest it waits in the queue in one call.</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Whether it sometimes hands a lease on, to itself under another name.</summary>
    public bool Transfers { get; init; }

    /// <summary>How many may share a resource; null where it takes exclusive leases.</summary>
    public int? Capacity { get; init; }

    /// <summary>
    /// Whether it sometimes sends the request of a grant once more before a renewal, as one that has forgotten the answer, and insists
    /// on being told of what it holds.
    /// </summary>
    public bool Repeats { get; init; }

    /// <summary>What it does under a lease before it thinks of renewing; false where it is past its deadline then and walks away.</summary>
    public Func<Ledger.Tenure, Random, Task<bool>> Work { get; init; } = static (_, _) => Task.FromResult(true);

    /// <summary>Quarrels over the resources until told to stop; then it walks away from what it holds.</summary>
    public async Task RunAsync(IReadOnlyList<string> resources, TimeSpan ttl, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(resources);
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            var request = new AcquireRequest
            {
                Resource = resources[_random.Next(resources.Count)],
                Owner = $"contender-{number}-{turn}",
                Ttl = ttl,
                Mode = Capacity is null ? LeaseMode.Exclusive : LeaseMode.Shared,
                Capacity = Capacity,
                Wait = _random.Next(3) * LongestWait / 2,
                RequestId = $"{number}-{turn}",
            };
            if (await AcquireAsync(request, stop) is not { } tenure || !await Work(tenure, _random)) continue;
            for (var renewals = _random.Next(5); renewals > 0 && ledger.Now < tenure.Until && !stop.IsCancellationRequested; renewals--)
            {
                await WaitAsync(ttl / 4);
                if (Repeats && _random.Next(2) == 0) await RepeatAsync(request, tenure);
                if (!await RenewAsync(tenure)) break;
            }

            if (Transfers && _random.Next(5) == 0)
            {
                if (await TransferAsync(tenure, stop) is not { } heir || !await Work(heir, _random)) continue;
                tenure = heir;
            }

            if (_random.Next(4) != 0 && !stop.IsCancellationRequested) await ReleaseAsync(tenure);
        }
    }

    private async Task<Ledger.Tenure?> AcquireAsync(AcquireRequest request, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var sent = ledger.Now;
            var answer = await server(number + _failures).AcquireAsync(request, CancellationToken.None);
            if (answer.TryGetValue(out var grant, out var refusal)) return ledger.Begin(grant, sent);
            // The owner has one request: what it holds, that was granted.
            if (Repeats && refusal is Refusal.Held { SameOwner: true }) ledger.Fault($"{request.Owner} was told {refusal}");
            if (refusal is Refusal.Held or Refusal.NotHolder) return null;
            if (!IsOpen(refusal)) ledger.Fault($"{request.Owner} was told {refusal}");
            await WaitAsync(Pause);
        }

        return null;
    }

    private async Task RepeatAsync(AcquireRequest request, Ledger.Tenure tenure)
    {
        while (ledger.Now < tenure.Until)
        {
            var answer = await server(number + _failures).AcquireAsync(request, CancellationToken.None);
            if (answer.TryGetValue(out var grant, out var refusal))
            {
                if (grant.Token != tenure.Token || !grant.Replayed) ledger.Fault($"{tenure} repeated its request and was told {grant}");
                return;
            }

            if (!IsOpen(refusal))
            {
                if (ledger.Now < tenure.Until) ledger.Fault($"{tenure} repeated its request and was told {refusal}");
                return;
            }

            await WaitAsync(Pause);
        }
    }

    private async Task<bool> RenewAsync(Ledger.Tenure tenure)
    {
        while (ledger.Now < tenure.Until)
        {
            var sent = ledger.Now;
            var answer = await server(number + _failures).RenewAsync(
                new RenewRequest { Resource = tenure.Resource, Owner = tenure.Owner, Token = tenure.Token });
            if (answer.TryGetValue(out var renewal, out var refusal))
            {
                var until = sent + renewal.Elapsed + renewal.Remaining;
                // An answer that comes after the deadline extends it all the same, had the holder not stopped by then.
                if (ledger.Now >= tenure.Until) return false;
                if (until > tenure.Until) tenure.Until = until;
                return true;
            }

            if (refusal is Refusal.NotHolder)
            {
                tenure.Ended = ledger.Now;
                if (ledger.Now < tenure.Until) ledger.Fault($"{tenure} was taken back: {refusal.Detail}");
                return false;
            }

            if (!IsOpen(refusal)) ledger.Fault($"{tenure} asked for a renewal and was told {refusal}");
            await WaitAsync(Pause);
        }

        return false;
    }

    private async Task<Ledger.Tenure?> TransferAsync(Ledger.Tenure tenure, CancellationToken stop)
    {
        var deadline = tenure.Until;
        if (ledger.Now >= deadline) return null;
        tenure.Asked = LeaseEventKind.Transferred;
        // From here on it no longer believes to hold, nor does the heir until it is told.
        tenure.Until = ledger.Now;
        var request = new TransferRequest
        {
            Resource = tenure.Resource, Owner = tenure.Owner, Token = tenure.Token, NewOwner = $"{tenure.Owner}-heir",
            RequestId = $"{tenure.Owner}-transfer",
        };
        while (!stop.IsCancellationRequested)
        {
            var sent = ledger.Now;
            var answer = await server(number + _failures).TransferAsync(request, CancellationToken.None);
            if (answer.TryGetValue(out var grant, out var refusal))
            {
                tenure.Done = true;
                return ledger.Begin(grant, sent);
            }

            if (refusal is Refusal.NotHolder)
            {
                tenure.Ended = ledger.Now;
                if (ledger.Now < deadline) ledger.Fault($"{tenure} was taken back before its transfer: {refusal.Detail}");
                return null;
            }

            if (!IsOpen(refusal)) ledger.Fault($"{tenure} asked for a transfer and was told {refusal}");
            await WaitAsync(Pause);
        }

        return null;
    }

    private async Task ReleaseAsync(Ledger.Tenure tenure)
    {
        var deadline = tenure.Until;
        if (ledger.Now >= deadline) return;
        tenure.Asked = LeaseEventKind.Released;
        // From here on it no longer believes to hold, however the call ends.
        tenure.Until = ledger.Now;
        for (var tries = 0; tries < 3; tries++)
        {
            var answer = await server(number + _failures).ReleaseAsync(
                new ReleaseRequest { Resource = tenure.Resource, Owner = tenure.Owner, Token = tenure.Token });
            if (answer.Refusal is Refusal.NotHolder && ledger.Now < deadline)
            {
                ledger.Fault($"{tenure} was taken back before its release: {answer.Refusal.Detail}");
            }

            if (answer.Refusal is null or Refusal.NotHolder) tenure.Ended = ledger.Now;
            if (answer.Refusal is null) tenure.Done = true;
            if (answer.Refusal is not { } refusal || !IsOpen(refusal)) return;
            await WaitAsync(Pause);
        }
    }

    /// <summary>Whether it must be asked again; if so, of another server.</summary>
    private bool IsOpen(Refusal refusal)
    {
        if (refusal is not (Refusal.OutcomeUnknown or Refusal.Unavailable)) return false;
        _failures++;
        return true;
    }

    private static Task WaitAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
