using System.Collections.Immutable;

namespace OrleansLeases.Core;

/// <summary>The refusals of the machine: each names what was requested, what is in force and the remedy.</summary>
internal static partial class Refusals
{
    public static Refusal Held(
        AcquireRequest request, ImmutableArray<Holder> holders, Delays delays, Instant now, int position, bool waits)
    {
        var sameOwner = false;
        var earliest = TimeSpan.MaxValue;
        var latest = TimeSpan.Zero;
        var shown = new CurrentHolder[holders.Length];
        for (var i = 0; i < holders.Length; i++)
        {
            var left = Left(holders[i], now);
            shown[i] = new CurrentHolder { Owner = holders[i].Owner, Mode = holders[i].Mode, Remaining = left };
            sameOwner |= holders[i].Owner == request.Owner;
            earliest = Holder.Min(earliest, left);
            latest = Holder.Max(latest, left);
        }

        var delayed = delays.Until(request.Owner) - now.Monotonic;
        // The one holder of an exclusive lease may be gone in a moment, and the place is not free then.
        if (holders is [{ Hold: { } hold }, ..] && hold.Owner != request.Owner) delayed = Holder.Max(delayed, hold.Ends - now.Monotonic);
        var available = holders.IsEmpty ? TimeSpan.Zero : request.Mode == LeaseMode.Exclusive || sameOwner ? latest : earliest;
        available = Holder.Max(available, delayed);
        var detail = sameOwner
            ? $"'{request.Owner}' holds '{request.Resource}' already under another request id; use the token of that grant."
            : holders.IsEmpty && delayed > TimeSpan.Zero ? Delayed(request, delays, available)
            : holders.IsEmpty ? $"Others wait for '{request.Resource}'; ask with waitMs to wait behind them."
            : $"'{request.Resource}' is held by {Names(holders)}; "
                + $"a place is free in {Milliseconds(available)} ms at the latest if nobody renews.";
        return new Refusal.Held(shown, sameOwner, position, waits ? TimeSpan.Zero : available, detail);
    }

    private static string Delayed(AcquireRequest request, Delays delays, TimeSpan available) =>
        delays.Lock is { } delay && delay.Owner != request.Owner && !(delay.Ends < delays.Hold?.Ends)
            ? $"'{request.Resource}' is in the lock-delay that '{delay.Owner}' left; it ends in {Milliseconds(available)} ms at the latest."
            : $"'{request.Resource}' is to be held for {Milliseconds(available)} ms more at the latest, as the lease that has ended asked.";

    public static Refusal NotHolder(NotHolderReason reason, long lastToken, string who, long token) => new Refusal.NotHolder(
        reason,
        lastToken,
        reason switch
        {
            NotHolderReason.NeverHeld => $"'{who}' was never granted token {token}.",
            NotHolderReason.Superseded =>
                $"Token {token} of '{who}' has ended; the history no longer tells how. The last token is {lastToken}.",
            NotHolderReason.Released => $"Token {token} of '{who}' was released.",
            NotHolderReason.Transferred => $"Token {token} of '{who}' ended when the lease was transferred.",
            NotHolderReason.Broken => $"Token {token} of '{who}' was broken.",
            _ => $"Token {token} of '{who}' has expired.",
        });

    public static Refusal RequestIdReused() => new Refusal.Conflict(
        null, "requestId was used before with different content; make a new id for every new request.");

    public static Refusal CapacityDiffers(int? requested, int? inForce) => new Refusal.Conflict(
        inForce,
        $"capacity {Capacity(requested)} differs from {Capacity(inForce)}, which is in force while the resource has a holder or a waiter.");

    public static Refusal BeingBroken(long token) => new Refusal.Conflict(
        null, $"token {token} is being broken and cannot be transferred; the new owner can acquire once it has ended.");

    public static Refusal TokenNeeded(ImmutableArray<Holder> holders)
    {
        var detail = $"token is needed, since the resource has {holders.Length} holders; GET the lease to see their tokens.";
        return new Refusal.InvalidRequest(new Dictionary<string, string[]> { ["token"] = [detail] }, detail);
    }

    public static Refusal TooManyHolders(int limit) => new Refusal.LimitReached(
        "holders", TimeSpan.FromSeconds(1), $"The resource has {limit} holders, as many as the service allows.");

    public static Refusal TooManyWaiters(int limit) => new Refusal.LimitReached(
        "waiters", TimeSpan.FromSeconds(1), $"{limit} requests wait for the resource, as many as the service allows.");

    public static Refusal TooManyKeys(KeyLease lease, int limit) => new Refusal.LimitReached(
        "keys",
        TimeSpan.FromSeconds(1),
        $"Token {lease.Token} of '{lease.Resource}' has {limit} keys, as many as the service allows for a lease; delete or unbind one.");

    public static Refusal TooManyKeysInAll(string resource, long limit) => new Refusal.LimitReached(
        "keys",
        TimeSpan.FromSeconds(1),
        $"The leases of '{resource}' have {limit} keys together, those still being cleaned up included, as many as the service allows.");

    public static Refusal VersionDiffers(string key, long requested, long current) => new Refusal.Conflict(
        current,
        $"ifVersion is {requested}, but {(current == 0 ? $"there is no '{key}'" : $"'{key}' has version {current}")}; read it again.");

    public static Refusal NoInteger(string key) => new Refusal.Conflict(
        null, $"The value of '{key}' is no decimal 64-bit integer; put one, or delete the key, before adding to it.");

    public static Refusal Overflows(string key, long value, long delta) => new Refusal.Conflict(
        null, $"'{key}' is {value}; {delta} more does not fit a 64-bit integer.");

    public static Refusal NoSuchKey(string key) => new Refusal.NotFound($"There is no key '{key}'.");

    public static Refusal TokensUsedUp(string resource) => new Refusal.LimitReached(
        "tokens",
        TimeSpan.FromHours(1),
        $"The tokens of '{resource}' are used up for this epoch; bump the epoch with the service stopped.");

    // To everyone but the holder, what counts is when the place is free.
    private static TimeSpan Left(Holder holder, Instant now) => Holder.Max(holder.EndsAt - now.Monotonic, TimeSpan.Zero);

    private static string Names(ImmutableArray<Holder> holders) =>
        holders.Length <= 3
            ? string.Join(", ", holders.Select(holder => $"'{holder.Owner}'"))
            : $"'{holders[0].Owner}' and {holders.Length - 1} others";

    private static string Capacity(int? capacity) => capacity?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "(unlimited)";

    private static long Milliseconds(TimeSpan time) => LeaseMachine.CeilToMillisecond(time).Ticks / TimeSpan.TicksPerMillisecond;
}
