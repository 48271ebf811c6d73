using System.Collections.Concurrent;
using OrleansLeases.Testing.Linearizability;

namespace OrleansLeases.Embedded.Tests.Histories;

/// <summary>Clients that quarrel over a few resources on a real clock, and write down what they asked and were told.</summary>
/// <param name="time">The recorder's clock.</param>
internal sealed class RecordedClients(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private readonly ConcurrentDictionary<string, ConcurrentBag<LeaseOperation>> _histories = new();

    public IReadOnlyDictionary<string, IReadOnlyList<LeaseOperation>> Histories =>
        _histories.ToDictionary(
            pair => pair.Key, pair => (IReadOnlyList<LeaseOperation>)[.. pair.Value.OrderBy(operation => operation.Invoked)]);

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>One client, until its time is over and there is enough to look at, however slow the machine is.</summary>
    public async Task RunAsync(ILeaseService leases, int number, IReadOnlyList<string> resources, TimeSpan length)
    {
        var random = new Random(number);
        LeaseGrant? old = null;
        for (var turn = 0; Now < length || !resources.All(HasEnough); turn++)
        {
            var resource = resources[random.Next(resources.Count)];
            if (random.Next(6) == 0) await ReadAsync(leases, resource);
            // A holder that does not know it has lost the lease.
            if (old is not null && random.Next(4) == 0) await (random.Next(2) == 0 ? RenewAsync(leases, old) : EndAsync(leases, old));
            var grant = await AcquireAsync(leases, new AcquireRequest
            {
                Resource = resource, Owner = $"client-{number}-{turn}", Ttl = Milliseconds(random.Next(20, 80)),
                Wait = Milliseconds(random.Next(3) * 40),
            });
            if (grant is null) continue;
            old = grant;
            for (var renewals = random.Next(4); renewals > 0; renewals--)
            {
                await PauseAsync(random.NextDouble() * 0.6 * grant.Ttl);
                if (!await RenewAsync(leases, grant)) break;
            }

            await PauseAsync(random.NextDouble() * 0.5 * grant.Ttl);
            var end = random.Next(10);
            if (end < 5) await EndAsync(leases, grant);
            else if (end < 7) await BreakAsync(leases, grant);
            else if (end < 9 && await TransferAsync(leases, grant, $"client-{number}-{turn}-heir") is { } passedOn)
            {
                await EndAsync(leases, old = passedOn);
            }
        }
    }

    /// <summary>One acquire.</summary>
    public async Task<LeaseGrant?> AcquireAsync(ILeaseService leases, AcquireRequest request)
    {
        var invoked = Now;
        var answer = await leases.AcquireAsync(request);
        var returned = Now;
        if (answer.TryGetValue(out var grant, out var refusal))
            Record(
                request.Resource,
                new LeaseOperation.Granted(invoked, returned, grant.Owner, grant.Token, grant.Elapsed + grant.Remaining, grant.Ttl));
        else if (refusal is Refusal.NotHolder)
            Record(
                request.Resource, new LeaseOperation.GrantedUntold(invoked, returned, From: null, request.Owner, request.Ttl, request.Ttl));
        else if (refusal is Refusal.Held { Holders: [var holder] })
        {
            Record(request.Resource, new LeaseOperation.FoundHeld(invoked, returned, holder.Owner));
            // A wait that ended while its grant was being stored: the grant is given back at once.
            if (request.Wait > TimeSpan.Zero)
                Record(
                    request.Resource,
                    new LeaseOperation.GrantedUntold(
                        invoked, returned, From: null, request.Owner, TimeSpan.Zero, request.Ttl) { Certain = false });
        }

        return grant;
    }

    private bool HasEnough(string resource) =>
        _histories.TryGetValue(resource, out var history)
            && history.Count(operation => operation is LeaseOperation.Granted { WasInForce: true }) > 16;

    private async Task<bool> RenewAsync(ILeaseService leases, LeaseGrant grant)
    {
        var invoked = Now;
        var answer = await leases.RenewAsync(new RenewRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token });
        var returned = Now;
        if (answer.TryGetValue(out var renewal, out var refusal))
            Record(
                grant.Resource,
                new LeaseOperation.Renewed(invoked, returned, grant.Token, renewal.Elapsed + renewal.Remaining, renewal.Ttl));
        else
            RecordRefusal(grant, refusal, invoked, returned);
        return refusal is null;
    }

    private async Task EndAsync(ILeaseService leases, LeaseGrant grant)
    {
        var invoked = Now;
        var answer = await leases.ReleaseAsync(new ReleaseRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token });
        var returned = Now;
        // A repeat changes nothing: it says no more than that the holder is another.
        if (answer.TryGetValue(out var release, out var refusal))
            Record(
                grant.Resource,
                release.Replayed
                    ? new LeaseOperation.NotHolder(invoked, returned, grant.Token)
                    : new LeaseOperation.Ended(invoked, returned, grant.Token));
        else
            RecordRefusal(grant, refusal, invoked, returned);
    }

    private async Task BreakAsync(ILeaseService leases, LeaseGrant grant)
    {
        var invoked = Now;
        var answer = await leases.BreakAsync(
            new BreakRequest { Resource = grant.Resource, Token = grant.Token, Grace = TimeSpan.Zero, Force = true, Reason = "test" });
        var returned = Now;
        if (answer.Refusal is { } refusal) RecordRefusal(grant, refusal, invoked, returned);
        else Record(grant.Resource, new LeaseOperation.Ended(invoked, returned, grant.Token));
    }

    private async Task<LeaseGrant?> TransferAsync(ILeaseService leases, LeaseGrant grant, string newOwner)
    {
        var invoked = Now;
        var answer = await leases.TransferAsync(
            new TransferRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token, NewOwner = newOwner });
        var returned = Now;
        if (answer.TryGetValue(out var passedOn, out var refusal))
            Record(
                grant.Resource,
                new LeaseOperation.Transferred(
                    invoked, returned, grant.Token, newOwner, passedOn.Token, passedOn.Elapsed + passedOn.Remaining, passedOn.Ttl));
        else
        {
            RecordRefusal(grant, refusal, invoked, returned);
            // Either the old grant was over, or the new one was before it could be told.
            if (refusal is Refusal.NotHolder { Reason: NotHolderReason.Expired })
                Record(
                    grant.Resource,
                    new LeaseOperation.GrantedUntold(invoked, returned, grant.Token, newOwner, grant.Ttl, grant.Ttl) { Certain = false });
        }

        return passedOn;
    }

    private async Task ReadAsync(ILeaseService leases, string resource)
    {
        var invoked = Now;
        var info = (await leases.GetAsync(new GetLeaseRequest { Resource = resource })).Value;
        Record(resource, new LeaseOperation.Read(invoked, Now, info.Holders is [var holder] ? holder.Token : null));
    }

    private void RecordRefusal(LeaseGrant grant, Refusal refusal, TimeSpan invoked, TimeSpan returned)
    {
        if (refusal is Refusal.NotHolder) Record(grant.Resource, new LeaseOperation.NotHolder(invoked, returned, grant.Token));
    }

    private void Record(string resource, LeaseOperation operation) => _histories.GetOrAdd(resource, static _ => []).Add(operation);

    private Task PauseAsync(TimeSpan length) => Task.Delay(length, time);

    private static TimeSpan Milliseconds(int count) => TimeSpan.FromMilliseconds(count);
}
