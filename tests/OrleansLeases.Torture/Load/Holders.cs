using OrleansLeases.Client;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Torture.Load;

/// <summary>Clients with handles, as applications are: each takes what it can get, works while its handle says that it is valid.</summary>
internal sealed class Holders(ILeaseService service, Ledger ledger, Func<Ledger.Tenure, Random, Task<bool>> work)
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(40);

    /// <summary>One client, until it is told to stop.</summary>
    public async Task RunAsync(int number, IReadOnlyList<string> resources, TimeSpan ttl, Random random, CancellationToken stop)
    {
        await using var client = new LeaseClient(service);
        for (var turn = 0; !stop.IsCancellationRequested; turn++)
        {
            var options = new LeaseOptions { Ttl = ttl, Owner = $"handle-{number}-{turn}" };
            try
            {
                await using var handle = await client.TryAcquireAsync(
                    resources[random.Next(resources.Count)], TimeSpan.FromMilliseconds(random.Next(2000)), options, CancellationToken.None);
                if (handle is not null) await HoldAsync(handle, random, stop);
            }
            catch (LeaseRefusedException refused) when (refused.Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown)
            {
                await Task.Delay(Beat, TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private async Task HoldAsync(LeaseHandle handle, Random random, CancellationToken stop)
    {
        // Its client may give it back by itself, once it is lost: whichever way it ends, the holder has agreed.
        Ledger.Tenure? tenure = null;
        for (var beats = random.Next(1, 100); beats > 0 && !stop.IsCancellationRequested; beats--)
        {
            // Read before it is looked at: what is valid afterwards was valid then.
            var now = ledger.Now;
            if (!handle.IsValid()) break;
            tenure ??= ledger.Begin(
                new Ledger.Tenure(handle.Resource, handle.Owner, handle.Token, now) { Until = now, Asked = LeaseEventKind.Released });
            tenure.Until = now;
            if (random.Next(20) == 0 && !await work(tenure, random)) break;
            await Task.Delay(Beat, TimeProvider.System, CancellationToken.None);
        }
    }
}
