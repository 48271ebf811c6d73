using System.Collections.Concurrent;
using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Checking;

namespace OrleansLeases.Torture.Load;

/// <summary>Clients that add to a few counters, and repeat what was left open under its request id.</summary>
internal sealed class Counting(Ledger clock, string[] counters)
{
    private readonly ConcurrentDictionary<string, CounterAudit> _audits =
        new(counters.Select(counter => KeyValuePair.Create(counter, new CounterAudit())));

    /// <summary>One client, until it is told to stop.</summary>
    public async Task RunAsync(ILeaseService service, int number, CancellationToken stop)
    {
        var random = new Random(number);
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            var counter = counters[random.Next(counters.Length)];
            var request = new AddToCounterRequest { Delta = random.Next(1, 1000), RequestId = $"{number}-{turn}" };
            var invoked = clock.Now;
            CounterValue? told = null;
            var returned = TimeSpan.MaxValue;
            while (told is null && !stop.IsCancellationRequested)
            {
                var answer = await service.AddToCounterAsync(counter, request, CancellationToken.None);
                if (!answer.TryGetValue(out told, out var refusal) && refusal is not (Refusal.Unavailable or Refusal.OutcomeUnknown))
                    clock.Fault($"an addition to {counter} was told {refusal}");
                returned = clock.Now;
                await LoadRun.ForAsync(TimeSpan.FromMilliseconds(random.Next(200)));
            }

            var audit = _audits[counter];
            lock (audit) audit.Add(request.Delta, invoked, told is null ? TimeSpan.MaxValue : returned, told?.Value);
        }
    }

    /// <summary>Once nobody adds any more.</summary>
    public async Task<IReadOnlyList<string>> FindFaultsAsync(ILeaseService service)
    {
        List<string> faults = [];
        foreach (var (counter, audit) in _audits)
        {
            var value = (await service.AddToCounterAsync(counter, new() { Delta = 0 })).Value.Value;
            faults.AddRange(audit.FindFaults(value).Select(fault => $"{counter}: {fault}"));
        }

        return faults;
    }
}
