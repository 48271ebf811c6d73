namespace OrleansLeases.Torture.Load;

/// <summary>
/// A client that keeps to the contract: it repeats what was left open with the same request id, stops at its own
/// deadline, and writes down what it was told.
/// </summary>
/// <param name="number">Names its owners, and seeds its choices.</param>
/// <param name="ledger">Where it writes.</param>
/// <param name="service">The server that runs now.</param>
internal sealed class Contender(int number, Ledger ledger, Func<ILeaseService> service)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Random _random = new(number);

    /// <summary>Quarrels over the resources until told to stop; then it walks away from what it holds.</summary>
    public async Task RunAsync(IReadOnlyList<string> resources, TimeSpan ttl, CancellationToken stop)
    {
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            var request = new AcquireRequest
            {
                Resource = resources[_random.Next(resources.Count)],
                Owner = $"contender-{number}-{turn}",
                Ttl = ttl,
                Wait = TimeSpan.FromMilliseconds(_random.Next(3) * 200),
                RequestId = $"{number}-{turn}",
            };
            if (await AcquireAsync(request, stop) is not { } tenure) continue;
            for (var renewals = _random.Next(5); renewals > 0 && ledger.Now < tenure.Until && !stop.IsCancellationRequested; renewals--)
            {
                await WaitAsync(ttl / 4);
                if (!await RenewAsync(tenure)) break;
            }

            if (_random.Next(4) != 0 && !stop.IsCancellationRequested) await ReleaseAsync(tenure);
        }
    }

    private async Task<Ledger.Tenure?> AcquireAsync(AcquireRequest request, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var sent = ledger.Now;
            var answer = await service().AcquireAsync(request, CancellationToken.None);
            if (answer.TryGetValue(out var grant, out var refusal)) return ledger.Begin(grant, sent);
            if (refusal is Refusal.Held or Refusal.NotHolder) return null;
            if (refusal is not (Refusal.OutcomeUnknown or Refusal.Unavailable)) ledger.Fault($"{request.Owner} was told {refusal}");
            await WaitAsync(Pause);
        }

        return null;
    }

    private async Task<bool> RenewAsync(Ledger.Tenure tenure)
    {
        while (ledger.Now < tenure.Until)
        {
            var sent = ledger.Now;
            var answer = await service().RenewAsync(new RenewRequest { Resource = tenure.Resource, Owner = tenure.Owner, Token = tenure.Token });
            if (answer.TryGetValue(out var renewal, out var refusal))
            {
                var until = sent + renewal.Held + renewal.Remaining;
                // An answer that comes after the deadline extends it all the same, had the holder not stopped by then.
                if (ledger.Now >= tenure.Until) return false;
                if (until > tenure.Until) tenure.Until = until;
                return true;
            }

            if (refusal is Refusal.NotHolder)
            {
                if (ledger.Now < tenure.Until) ledger.Fault($"{tenure} was taken back: {refusal.Detail}");
                return false;
            }

            await WaitAsync(Pause);
        }

        return false;
    }

    private async Task ReleaseAsync(Ledger.Tenure tenure)
    {
        var deadline = tenure.Until;
        if (ledger.Now >= deadline) return;
        // From here on it no longer believes to hold, however the call ends.
        tenure.Until = ledger.Now;
        for (var tries = 0; tries < 3; tries++)
        {
            var answer = await service().ReleaseAsync(new ReleaseRequest { Resource = tenure.Resource, Owner = tenure.Owner, Token = tenure.Token });
            if (answer.Refusal is Refusal.NotHolder && ledger.Now < deadline) ledger.Fault($"{tenure} was taken back before its release: {answer.Refusal.Detail}");
            if (answer.Refusal is not (Refusal.OutcomeUnknown or Refusal.Unavailable)) return;
            await WaitAsync(Pause);
        }
    }

    private static Task WaitAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);
}
