namespace OrleansLeases.Testing.Linearizability;

/// <summary>
/// An exclusive lease as its clients see it, with time: an expiry may happen from the moment on that its holder may no
/// longer count on it, and must have happened by the answer plus the time to live plus the grace.
/// </summary>
/// <param name="Holder">The token in force; 0 for none, <see cref="Unknown"/> for one that nobody was told.</param>
/// <param name="Owner">Whose it is.</param>
/// <param name="MayEnd">From when on it may have expired.</param>
/// <param name="MustEnd">Until when it may still be in force.</param>
/// <param name="LastToken">The highest token so far.</param>
/// <param name="Now">No operation to come takes effect earlier than this.</param>
internal readonly record struct LeaseModel(long Holder, string Owner, TimeSpan MayEnd, TimeSpan MustEnd, long LastToken, TimeSpan Now)
{
    public const long Unknown = -1;

    public static readonly LeaseModel Start = new(0, "", default, default, 0, TimeSpan.Zero);

    /// <summary>What the lease may be after an operation that takes effect next; nothing where it cannot.</summary>
    public IEnumerable<LeaseModel> Apply(LeaseOperation operation, TimeSpan grace)
    {
        var now = Later(Now, operation.Invoked);
        if (now > operation.Returned) yield break;
        // The earliest moment leaves every later operation the most room, so no other needs trying.
        if (Holder != 0 && now <= MustEnd && (this with { Now = now }).WhileHeld(operation, grace) is { } held) yield return held;
        var over = Holder == 0 ? now : Later(now, MayEnd);
        if (over <= operation.Returned
            && (this with { Holder = 0, Owner = "", MayEnd = default, MustEnd = default, Now = over }).WhileFree(operation,
                grace) is { } free)
            yield return free;
    }

    private LeaseModel? WhileHeld(LeaseOperation operation, TimeSpan grace) => operation switch
    {
        LeaseOperation.FoundHeld found when found.By == Owner => this,
        LeaseOperation.Renewed renewed when renewed.Token == Holder => this with
        {
            MayEnd = Later(MayEnd, renewed.Invoked + renewed.Told),
            MustEnd = Later(MustEnd, After(renewed.Returned, renewed.Ttl + grace)),
        },
        LeaseOperation.Ended ended when ended.Token == Holder => this with { Holder = 0, Owner = "", MayEnd = default, MustEnd = default },
        LeaseOperation.Transferred moved when moved.From == Holder => Grant(moved, moved.Owner, moved.To, moved.Told, moved.Ttl + grace),
        LeaseOperation.GrantedUntold { From: { } from } late when from == Holder =>
            Grant(late, late.Owner, Unknown, late.Least, late.Ttl + grace),
        LeaseOperation.NotHolder refused when refused.Token != Holder => this,
        LeaseOperation.Read { Token: { } token } when Holder == Unknown && token > LastToken =>
            this with { Holder = token, LastToken = token },
        LeaseOperation.Read read when read.Token == Holder => this,
        _ => null,
    };

    private LeaseModel? WhileFree(LeaseOperation operation, TimeSpan grace) => operation switch
    {
        LeaseOperation.Granted granted => Grant(granted, granted.Owner, granted.Token, granted.Told, granted.Ttl + grace),
        LeaseOperation.GrantedUntold { From: null } late => Grant(late, late.Owner, Unknown, late.Least, late.Ttl + grace),
        LeaseOperation.NotHolder => this,
        LeaseOperation.Read { Token: null } => this,
        _ => null,
    };

    private LeaseModel? Grant(
        LeaseOperation operation, string owner, long token, TimeSpan told,
        TimeSpan longest) => token != Unknown && token <= LastToken ? null : this with
    {
        Holder = token, Owner = owner, LastToken = Math.Max(token, LastToken), MayEnd = operation.Invoked + told,
        MustEnd = After(operation.Returned, longest),
    };

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan After(TimeSpan time, TimeSpan more) => time == TimeSpan.MaxValue ? time : time + more;
}
