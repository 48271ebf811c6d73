using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using OrleansLeases.Testing.Load;

namespace OrleansLeases.Cluster.Tests.Load;

/// <summary>
/// Keys bound to the leases of a load, one for each resource and under its name: holders put them, bystanders read them.
/// What these were shown is held against what anyone was told of the leases. Thread-safe.
/// </summary>
internal sealed class BoundKeys(Ledger ledger, string name)
{
    private readonly ConcurrentQueue<Sighting> _sightings = new();
    private readonly ConcurrentBag<Task> _puts = [];

    /// <summary>How many keys readers were shown. Without any, no fault could be found.</summary>
    public int Shown => _sightings.Count(sighting => !sighting.Written);

    /// <summary>
    /// Puts a holder's key, or that of someone who was one. Nobody waits for it: a gateway that hangs must not cost the holder its
    /// lease.
    /// </summary>
    public void Put(Ledger.Tenure tenure, ILeaseService gateway) => _puts.Add(PutAsync(tenure.Resource, tenure, gateway));

    /// <summary>Puts a key that nobody reads, until it is known to be there, or its lease is over.</summary>
    public async Task PutUnreadAsync(Ledger.Tenure tenure, Func<ILeaseService> gateway)
    {
        while (await PutAsync($"unread/{tenure.Resource}", tenure, gateway()) is Refusal.Unavailable or Refusal.OutcomeUnknown)
        {
            await Task.Yield();
        }
    }

    /// <summary>Reads the key of a resource, and then all of them.</summary>
    public async Task ReadAsync(string resource, ILeaseService gateway)
    {
        var sent = ledger.Now;
        if ((await gateway.GetKeyAsync(resource)).TryGetValue(out var key, out _)) See(key, sent);
        sent = ledger.Now;
        if (!(await gateway.ListKeysAsync(new ListKeysRequest { Prefix = $"{name}/" })).TryGetValue(out var page, out _)) return;
        foreach (var listed in page.Keys) See(listed, sent);
    }

    /// <summary>
    /// What should not have happened: a key that was shown or written by a call that began after someone was told that its lease had
    /// ended.
    /// </summary>
    /// <param name="told">What holders were told of the leases.</param>
    public async Task<IReadOnlyList<string>> FindFaultsAsync(Ledger told)
    {
        await Task.WhenAll(_puts);
        var ends = new Dictionary<(string Resource, long Token), End>();
        foreach (var ofResource in told.Tenures.GroupBy(tenure => tenure.Resource))
        {
            // Whoever is granted a later token learns that all before it are over.
            End? later = null;
            foreach (var tenure in ofResource.OrderByDescending(tenure => tenure.Token))
            {
                var first = tenure.Ended is { } at && (later is null || at < later.At) ? new End(at, "its holder was told so") : later;
                if (first is not null) ends[(tenure.Resource, tenure.Token)] = first;
                if (later is null || tenure.From < later.At) later = new End(tenure.From, $"{tenure.Owner} was granted {tenure.Token}");
            }
        }

        return
        [
            .. from sighting in _sightings
               let end = ends.GetValueOrDefault((sighting.Resource, sighting.Token))
               where end is not null && sighting.Sent > end.At
               select $"The key of '{sighting.Resource}' with token {sighting.Token} was {(sighting.Written
                   ? "written"
                   : "shown")} by a call sent at {sighting.Sent}, but its lease had ended at {end.At}: {end.How}.",
        ];
    }

    /// <summary>The keys of this load that are in the store, whatever they are bound to.</summary>
    public async Task<long> CountStoredAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("select count(*) from lease_keys where resource like $1");
        command.Parameters.Add(new() { Value = $"{name}/%" });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<Refusal?> PutAsync(string key, Ledger.Tenure tenure, ILeaseService gateway)
    {
        var sent = ledger.Now;
        var request = new PutKeyRequest
        {
            Value = tenure.Token.ToString(CultureInfo.InvariantCulture),
            Lease = new KeyLease { Resource = tenure.Resource, Owner = tenure.Owner, Token = tenure.Token },
        };
        var answer = await gateway.PutKeyAsync(key, request);
        if (answer.Refusal is null) _sightings.Enqueue(new(tenure.Resource, tenure.Token, sent, Written: true));
        else if (answer.Refusal is not (Refusal.NotHolder or Refusal.Unavailable or Refusal.OutcomeUnknown))
        {
            ledger.Fault($"{tenure} put its key and was told {answer.Refusal}");
        }

        return answer.Refusal;
    }

    private void See(KeyValue key, TimeSpan sent)
    {
        if (key.Lease is not { } lease || key.Value != lease.Token.ToString(CultureInfo.InvariantCulture) || lease.Resource != key.Key)
        {
            ledger.Fault($"{key} is not what its holder has put");
        }
        else _sightings.Enqueue(new(lease.Resource, lease.Token, sent, Written: false));
    }

    private sealed record End(TimeSpan At, string How);

    private sealed record Sighting(string Resource, long Token, TimeSpan Sent, bool Written);
}
