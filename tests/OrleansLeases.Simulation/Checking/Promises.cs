using OrleansLeases.Core;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>
/// I5 while it runs: until when each holder was promised its lease, whether it heard of that or not; nobody is told that it holds once
/// the published grace has passed since.
/// </summary>
internal sealed class Promises(Scheduler scheduler)
{
    // Clocks of hosts run fast or slow by less than this part of what they measure.
    private const double Drift = 0.01;

    private readonly Dictionary<(string Resource, long Token), string> _owners = [];
    private readonly Dictionary<(string Resource, string Owner), Promise> _last = [];

    /// <summary>Nothing is promised.</summary>
    public bool IsOff { get; init; }

    /// <summary>What the hosts publish.</summary>
    public TimeSpan Grace { get; set; }

    /// <summary>
    /// How long the machines of hosts have slept: by that much one may lag, until it has compared its clock with the database's.
    /// </summary>
    public TimeSpan HostsSlept { get; private set; }

    /// <summary>The machine of a host falls asleep.</summary>
    /// <param name="length">For so long.</param>
    /// <param name="lags">How long it may lag after that; null for ever.</param>
    public void Sleeps(TimeSpan length, TimeSpan? lags)
    {
        HostsSlept += length;
        if (lags is { } passes) scheduler.After(length + passes, () => HostsSlept -= length);
    }

    /// <summary>A write has landed: a grant, or a renewal beyond the horizon, counts from then at the latest.</summary>
    public void Written(string resource, LeaseState before, LeaseState after)
    {
        foreach (var holder in after.Holders)
        {
            _owners[(resource, holder.Token)] = holder.Owner;
            if (before.Holders.All(one => one.Token != holder.Token || one.Horizon != holder.Horizon))
                Until(resource, holder.Token, holder.Ttl);
        }
    }

    /// <summary>A host has an answer, whether it reaches anybody or not.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="asked">When its host had the question.</param>
    public void Answered(string resource, object answer, TimeSpan asked)
    {
        switch (answer)
        {
            case LeaseGrant grant:
                Until(resource, grant.Token, grant.Remaining);
                break;
            case LeaseRenewal renewal:
                Until(resource, renewal.Token, renewal.Remaining);
                break;
            case LeaseInfo info:
                foreach (var holder in info.Holders) StillHolds(resource, holder.Owner, asked);
                break;
            case Refusal.Held held:
                foreach (var holder in held.Holders) StillHolds(resource, holder.Owner, asked);
                break;
        }
    }

    private void Until(string resource, long token, TimeSpan remaining)
    {
        if (!_owners.TryGetValue((resource, token), out var owner)) return;
        var until = scheduler.Now + remaining;
        if (!_last.TryGetValue((resource, owner), out var last) || last.Until < until)
            _last[(resource, owner)] = new(scheduler.Now, until);
    }

    private void StillHolds(string resource, string owner, TimeSpan asked)
    {
        if (IsOff || !_last.TryGetValue((resource, owner), out var last)) return;
        var latest = last.Until + Grace + ((last.Until - last.At + Grace) * Drift) + HostsSlept;
        if (asked > latest)
            scheduler.Fail(
                "I5", $"{resource} is held by {owner} when asked at {asked}, whose lease ended by {last.Until}; grace is {Grace}.");
    }

    private readonly record struct Promise(TimeSpan At, TimeSpan Until);
}
