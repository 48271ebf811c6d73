using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Testing.Linearizability;

namespace OrleansLeases.Simulation.Checking;

/// <summary>
/// What clients asked of leases and were told, in true time, as histories for the checkers: of an exclusive lease it has to be
/// linearizable with expiry, of a shared one all grants have to fit. What became of a call without an answer is looked up in the store's
/// log, so that no order has to be guessed.
/// </summary>
/// <remarks>
/// How late a lease ends is left to <see cref="Promises"/>. In a cluster an overlapping host may answer a plain read, and refuse, from what
/// it last knew, and may renew a lease that its holder gave up elsewhere: that is left out there, as it is promised so.
/// </remarks>
internal sealed class LeaseHistories(Scheduler scheduler, Truth truth, bool isCluster, int capacity)
{
    // Clocks of hosts run fast by less than this part, so that what is left of a lease lasts a little less in true time.
    private const double Drift = 0.99;
    private const int MostTries = 200_000;
    private static readonly TimeSpan Unbounded = TimeSpan.FromDays(10_000);

    // After its write a change shows once its host has heard of that, and woken up.
    private static readonly TimeSpan Settles = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, List<LeaseCall>> _calls = [];
    private bool _isOver;

    /// <summary>A client makes a call.</summary>
    public LeaseCall Begin(string resource, CallKind kind, long? token = null, long request = 0)
    {
        var call = new LeaseCall(scheduler, kind, token, request);
        if (_isOver) return call;
        if (!_calls.TryGetValue(resource, out var calls)) _calls[resource] = calls = [];
        calls.Add(call);
        return call;
    }

    /// <summary>Checks all that was recorded, and records no more: the run ends, or an older copy is about to be restored.</summary>
    public void Check(IEnumerable<string> exclusive, IEnumerable<string> shared)
    {
        if (_isOver) return;
        _isOver = true;
        foreach (var resource in exclusive)
        {
            try
            {
                if (LeaseHistoryChecker.FindFault(Exclusive(resource), TimeSpan.Zero, MostTries) is { } fault)
                    scheduler.Fail("history", $"{resource} has no order:{Environment.NewLine}{fault}");
            }
            catch (InvalidOperationException)
            {
                // Too much to search through: this one stays open.
                scheduler.Trace.Add(scheduler.Now, "open", resource);
            }
        }

        foreach (var resource in shared)
        {
            if (SharedHistoryChecker.FindFault(Shared(resource), capacity) is { } fault)
                scheduler.Fail("history", $"{resource} has grants that do not fit:{Environment.NewLine}{fault}");
        }
    }

    private IEnumerable<LeaseOperation> Exclusive(string resource)
    {
        if (!_calls.TryGetValue(resource, out var calls)) yield break;
        var endAsked = new Dictionary<long, TimeSpan>();
        foreach (var (token, life) in truth.LivesOf(resource))
        {
            var made = calls.FindAll(call => call.Request == life.Request && call.Kind is CallKind.Acquire or CallKind.Transfer);
            if (made.Count == 0) continue;
            foreach (var operation in GrantOf(token, life, made)) yield return operation;
            if (life.EndKind is not (LeaseEventKind.Released or LeaseEventKind.Broken or LeaseEventKind.Transferred)) continue;
            var enders = calls.FindAll(call => call.Token == token && call.Kind is not CallKind.Renew);
            var asked = enders.Count > 0 ? enders.Min(call => call.Invoked) : made.Min(call => call.Invoked);
            endAsked[token] = asked;
            if (life.EndKind == LeaseEventKind.Transferred) continue;
            var told = enders.Find(call => call is { Kind: CallKind.Release, IsAnswered: true, FoundNothing: false });
            yield return new LeaseOperation.Ended(
                asked, life.EndKind == LeaseEventKind.Released && told is not null ? told.Returned : life.Ended + Settles, token);
        }

        foreach (var call in calls.Where(call => call.IsAnswered))
        {
            if (call.FoundNothing && !isCluster) yield return new LeaseOperation.NotHolder(call.Invoked, call.Returned, call.Token!.Value);
            else if (call.Kind == CallKind.Read) yield return new LeaseOperation.Read(call.Invoked, call.Returned, call.Seen);
            else if (call is { Kind: CallKind.Renew, Seen: { } token }
                && !(isCluster && endAsked.TryGetValue(token, out var end) && end <= call.Returned))
                yield return new LeaseOperation.Renewed(call.Invoked, call.Returned, token, call.Told * Drift, Unbounded);
        }
    }

    // The first answer tells of the grant; a repeat tells what was left of it then, as a renewal does.
    private static IEnumerable<LeaseOperation> GrantOf(long token, LeaseLife life, List<LeaseCall> made)
    {
        var invoked = made.Min(call => call.Invoked);
        var answered = made.FindAll(call => call.Seen == token);
        var first = answered.MinBy(call => call.Returned);
        var returned = first?.Returned ?? life.Granted + Settles;
        var told = first is null ? TimeSpan.Zero : first.Invoked + (first.Told * Drift) - invoked;
        yield return made[0].Kind == CallKind.Transfer
            ? new LeaseOperation.Transferred(invoked, returned, made[0].Token!.Value, life.Owner, token, told, Unbounded)
            : new LeaseOperation.Granted(invoked, returned, life.Owner, token, told, Unbounded);
        foreach (var again in answered.Where(call => call != first))
            yield return new LeaseOperation.Renewed(again.Invoked, again.Returned, token, again.Told * Drift, Unbounded);
    }

    private IEnumerable<SharedGrant> Shared(string resource)
    {
        if (!_calls.TryGetValue(resource, out var calls)) yield break;
        foreach (var (token, life) in truth.LivesOf(resource))
        {
            var made = calls.FindAll(call => call.Request == life.Request && call.Kind is CallKind.Acquire or CallKind.Transfer);
            if (made.Count == 0) continue;
            var told = calls.FindAll(call => call.Seen == token && call.Kind is not CallKind.Read);
            var ends = calls.Where(call => call.Token == token && call.Kind is CallKind.Release or CallKind.Break or CallKind.Transfer)
                .Select(call => call.Invoked).Append(life.Ended).Min();
            var sure = told.Count > 0 ? told.Max(call => call.Invoked + (call.Told * Drift)) : TimeSpan.Zero;
            yield return new(
                token, life.Mode == LeaseMode.Exclusive, made.Min(call => call.Invoked),
                told.Count > 0 ? told.Min(call => call.Returned) : life.Granted + Settles, sure < ends ? sure : ends);
        }
    }
}

/// <summary>What the store's log says of a grant.</summary>
internal sealed record LeaseLife(long Request, string Owner, LeaseMode Mode, TimeSpan Granted)
{
    /// <summary>When its end was stored; <see cref="TimeSpan.MaxValue"/> where it was not yet.</summary>
    public TimeSpan Ended { get; set; } = TimeSpan.MaxValue;

    public LeaseEventKind? EndKind { get; set; }
}
