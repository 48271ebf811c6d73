namespace OrleansLeases.Core;

/// <summary>What a caller may do at this moment: the one place where rights are compared with what a call is about.</summary>
internal readonly struct CallerAccess(LeaseCaller caller)
{
    public AccessRights Rights { get; } = caller.Rights;

    public Refusal? ToRead(string name) => Rights.May(LeaseRights.Read, name) ? null : Refuse("read", name);

    public Refusal? ToHold(string resource, string owner)
    {
        if (Rights.MayHold(resource, owner)) return null;
        return Rights.May(LeaseRights.Hold, resource)
            ? new Refusal.Forbidden(
                $"'{caller.Principal}' may not hold '{Shown(resource)}' as the owner '{Shown(owner)}'; it holds as '{caller.Principal}' or "
                + $"'{caller.Principal}/…', or as its rules say (owners).")
            : Refuse("hold", resource);
    }

    public Refusal? ToBreak(string resource) => Rights.May(LeaseRights.Break, resource) ? null : Refuse("break", resource);

    /// <summary>What concerns the service as a whole.</summary>
    public Refusal? ToOperate() => Rights.May(LeaseRights.Admin, "") ? null : new Refusal.Forbidden(
        $"'{caller.Principal}' has no right 'admin'; whoever keeps the access rules of this service can give it.");

    /// <summary>A key is written with rights on both: on the key, and on the lease that it is bound to.</summary>
    public Refusal? ToWrite(string key, KeyLease? lease) =>
        !Rights.May(LeaseRights.Keys, key) ? Refuse("keys", key) : lease is null ? null : ToHold(lease.Resource, lease.Owner);

    /// <summary>Single names are watched with rights on them; of a prefix the watch shows what may be read.</summary>
    public Refusal? ToWatch(WatchRequest request) => (request.Resource ?? request.Key) is { } name ? ToRead(name) : null;

    /// <summary>Whether a key may be seen: the lease that it is bound to names a resource.</summary>
    public bool Sees(string key, KeyLease? lease) =>
        Rights.May(LeaseRights.Read, key) && (lease is null || Rights.May(LeaseRights.Read, lease.Resource));

    /// <summary>Refuses a key that is not seen, without the name of what it is bound to.</summary>
    public Refusal HiddenBy(string key) => new Refusal.Forbidden(
        $"'{caller.Principal}' has no right 'read' on the resource that '{Shown(key)}' is bound to; whoever keeps the access rules of this "
        + "service can give it.");

    /// <summary>A resource without the bound keys that may not be read.</summary>
    public LeaseInfo Of(LeaseInfo lease)
    {
        var rights = Rights;
        return lease.Holders.All(holder => holder.Keys.All(key => rights.May(LeaseRights.Read, key)))
            ? lease
            : lease with { Holders = [.. lease.Holders.Select(Of)] };
    }

    private LeaseHolder Of(LeaseHolder holder)
    {
        var rights = Rights;
        return holder with { Keys = [.. holder.Keys.Where(key => rights.May(LeaseRights.Read, key))] };
    }

    private Refusal.Forbidden Refuse(string right, string name) =>
        new($"'{caller.Principal}' has no right '{right}' on '{Shown(name)}'; whoever keeps the access rules of this service can give it.");

    private static string Shown(string name) => name.Length <= 80 ? name : name[..80] + "…";
}
