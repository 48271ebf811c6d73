using OrleansLeases.Cluster.Tests;
using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Worlds;

namespace OrleansLeases.Torture.Checking;

/// <summary>
/// Holds a service to what its clients were told: every grant, release and transfer that was acknowledged is in the history of its
/// resource, once and for ever; every lease that runs is held; every end has a reason that its holder knows of.
/// </summary>
/// <param name="ledger">What they were told.</param>
/// <param name="books">The resources.</param>
internal sealed class Audit(Ledger ledger, IEnumerable<Book> books)
{
    private readonly List<Book> _books = [.. books];
    private readonly HashSet<string> _faults = [];

    /// <summary>How often a lease was found to be held whose holder had not asked for its end.</summary>
    public int Running { get; private set; }

    /// <summary>Compares all that was told up to now with what the service has.</summary>
    /// <returns>What was ever found to be lost or to contradict itself.</returns>
    public async Task<IReadOnlyList<string>> CompareAsync(ILeaseService leases)
    {
        var told = ledger.Tenures.Select(tenure => (Of: tenure, tenure.Done)).ToLookup(tenure => tenure.Of.Resource);
        foreach (var book in _books)
        {
            var info = await AnswerAsync(() => leases.GetAsync(new GetLeaseRequest { Resource = book.Resource, Consistent = true }));
            foreach (var (tenure, done) in told[book.Resource]) CompareHolder(tenure, done, info);
            var history = await AnswerAsync(() => leases.HistoryAsync(book.Resource));
            _faults.UnionWith(book.Enter(history));
            _faults.UnionWith(told[book.Resource].Select(tenure => book.FindFault(tenure.Of, tenure.Done)).OfType<string>());
        }

        return [.. _faults];
    }

    private void CompareHolder(Ledger.Tenure tenure, bool done, LeaseInfo info)
    {
        if (info.LastToken < tenure.Token) _faults.Add($"The token of {tenure} is forgotten; the last is {info.LastToken}.");
        var holder = info.Holders.SingleOrDefault();
        if (done && holder?.Token == tenure.Token) _faults.Add($"{tenure} is held again.");
        // Where nobody has asked for its end by now and it is not over, it was held when the service was asked.
        if (tenure.Asked is not null || tenure.Until <= ledger.Now) return;
        Running++;
        if (holder?.Token != tenure.Token || holder.Owner != tenure.Owner)
            _faults.Add($"{tenure} runs, and the holder is {holder?.ToString() ?? "nobody"}.");
    }

    private static async Task<T> AnswerAsync<T>(Func<ValueTask<LeaseResult<T>>> call)
        where T : class
    {
        T? value = null;
        Refusal? refusal = null;
        // It asks during the faults too, and where all silos were killed nobody answers before one has started.
        await Eventually.TrueAsync(
            async () => (await call()).TryGetValue(out value, out refusal), () => $"It was told {refusal}.", World.StartTimeout);
        return value!;
    }
}
