using System.Globalization;

namespace OrleansLeases.Client.Holding;

/// <summary>
/// What a client knows of one lease it holds. <see cref="EndsAt"/> is read by anyone at any time; all else changes under
/// the lock of <see cref="HeldLeases"/>.
/// </summary>
internal sealed class HeldLease
{
    // The holder's clock starts at zero.
    private static readonly TimeSpan Never = TimeSpan.FromTicks(-1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SoonestRenewal = TimeSpan.FromMilliseconds(10);

    // A busy machine comes to look this late.
    private static readonly TimeSpan ShortestLeap = TimeSpan.FromMilliseconds(500);

    private readonly Random _random;
    private readonly double _trust;
    private readonly TimeSpan _holdUntil;
    private long _endsAt;
    private TimeSpan _latestEnd = TimeSpan.MaxValue;
    private bool _endsByOrder;
    private TimeSpan _pause;
    private TimeSpan _confirmedAt;
    private TaskCompletionSource? _change;
    private LostSource? _lost;
    private WeakReference<LostSource>? _lostOfNobody;

    /// <param name="grant">The grant.</param>
    /// <param name="sentAt">When the call that brought it was sent, by the holder's clock: its time counts from there.</param>
    /// <param name="now">When its answer was here.</param>
    /// <param name="random">What makes the renewals of two leases differ in time.</param>
    /// <param name="drift">The share of a granted time that the holder does not rely on, since this machine's clock may run slow.</param>
    /// <param name="maxHold">How long it is held at most, however often it is renewed.</param>
    /// <param name="takenIn">The code that took it, where that is known.</param>
    public HeldLease(
        LeaseGrant grant, TimeSpan sentAt, TimeSpan now, Random random, double drift, TimeSpan? maxHold = null, string? takenIn = null)
    {
        _random = random;
        _trust = 1 - drift;
        (MaxHold, TakenIn) = (maxHold, takenIn);
        _holdUntil = maxHold < TimeSpan.MaxValue - now ? now + maxHold.Value : TimeSpan.MaxValue;
        Grant = grant;
        Renewal = new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };
        EndsAt = sentAt + Trusted(grant.Elapsed + grant.Remaining);
        _confirmedAt = sentAt;
        RenewSoon(grant.RenewAfter, now);
    }

    public LeaseGrant Grant { get; }

    public RenewRequest Renewal { get; }

    public TimeSpan? MaxHold { get; }

    public string? TakenIn { get; }

    /// <summary>Until when the lease is surely held, by the holder's clock; before all times once it is over.</summary>
    public TimeSpan EndsAt
    {
        get => new(Volatile.Read(ref _endsAt));
        private set => Volatile.Write(ref _endsAt, Min(value, _holdUntil).Ticks);
    }

    /// <summary>It was lost or released: nothing changes any more.</summary>
    public bool IsOver => EndsAt == Never;

    /// <summary>Work relies on it that is awaited before it is released, whoever asks for that.</summary>
    public bool IsGuarded { get; set; }

    /// <summary>When the next renewal is sent.</summary>
    public TimeSpan RenewAt { get; private set; }

    /// <summary>A renewal without an answer is sent again after this long.</summary>
    public TimeSpan RenewalTimeout => Clamp(Grant.Ttl / 5, SoonestRenewal, TimeSpan.FromSeconds(5));

    /// <summary>How much earlier than due a renewal may go along with others.</summary>
    public TimeSpan Leeway => RenewalTimeout / 6;

    public LeaseLoss? Loss { get; private set; }

    public BreakNotice? Breaking { get; private set; }

    public Refusal? Trouble { get; private set; }

    /// <summary>Its place in <see cref="DueQueue"/>, which alone sets these two.</summary>
    public int QueueIndex { get; set; } = -1;

    public TimeSpan DueAt { get; set; }

    /// <summary>A renewal is on its way: unless its answer comes, the next one follows it.</summary>
    public void Sent_NeedsLock(TimeSpan now) => RenewAt = now + RenewalTimeout;

    /// <summary>No renewal is sent any more.</summary>
    public void RenewNoMore_NeedsLock() => RenewAt = TimeSpan.MaxValue;

    /// <summary>
    /// Takes an answer that may be late, or come after the answer to a later call: it never lengthens what an earlier one shortened.
    /// </summary>
    public void Renewed_NeedsLock(TimeSpan sentAt, LeaseRenewal renewal, TimeSpan now)
    {
        if (renewal.Breaking is { } notice)
        {
            // No answer goes beyond any notice, and no notice ends later than that from now, wherever it was in between. Where more
            // was granted before, a break by force has taken it away: what is left counts from when the renewal was sent.
            var atMost = now + notice.EndsIn;
            _latestEnd = Min(_latestEnd, EndsAt > atMost ? sentAt + Trusted(renewal.Elapsed + notice.EndsIn) : atMost);
            _endsByOrder = renewal.Remaining >= notice.EndsIn;
            Breaking = notice;
        }

        EndsAt = Min(_latestEnd, Max(EndsAt, sentAt + Trusted(renewal.Elapsed + renewal.Remaining)));
        _pause = TimeSpan.Zero;
        _confirmedAt = Max(_confirmedAt, sentAt);
        Trouble = null;
        RenewSoon(renewal.RenewAfter, now);
        Tell_NeedsLock();
    }

    /// <summary>Takes an answer that leaves open whether the lease was renewed.</summary>
    public void NotRenewed_NeedsLock(TimeSpan sentAt, Refusal trouble, TimeSpan now)
    {
        if (sentAt < _confirmedAt) return;
        _pause = Clamp(_pause * 2, ShortestPause, LongestPause);
        Trouble = trouble;
        // As the service asks, as far as the lease has time for that.
        var requested = trouble is Refusal.Unavailable unavailable ? unavailable.RetryAfter : TimeSpan.Zero;
        RenewAt = now + Min(Max(_pause * (0.5 + (_random.NextDouble() / 2)), requested), Grant.Ttl / 10);
        Tell_NeedsLock();
    }

    /// <summary>The lease is lost.</summary>
    /// <returns>The signal, which cancels the lost token; null where no code has that token.</returns>
    public Action? Lose_NeedsLock(LeaseLoss loss)
    {
        Loss = loss;
        End_NeedsLock();
        return (_lost ?? (_lostOfNobody?.TryGetTarget(out var source) == true ? source : null)) is { } lost ? lost.Cancel : null;
    }

    /// <summary>The lease is over, at its holder's word or by <see cref="Lose_NeedsLock"/>.</summary>
    public void End_NeedsLock()
    {
        EndsAt = Never;
        Tell_NeedsLock();
    }

    /// <summary>Why the lease is lost once its time has run out.</summary>
    /// <param name="leap">How much time went by since its deadline was looked at before.</param>
    public LeaseLoss LossAtTheEnd(TimeSpan leap)
    {
        var (reason, what) = (EndsAt == _holdUntil, _endsByOrder || EndsAt == _latestEnd ? Breaking : null) switch
        {
            (true, _) => (NotHolderReason.Expired, $"was held for {nameof(LeaseOptions.MaxHold)}, {MaxHold}, and is not held for longer."),
            (_, { } notice) => (NotHolderReason.Broken, $"was broken: {notice.Reason}"),
            _ => (NotHolderReason.Expired, $"was not renewed in time: {WhyNotRenewed(leap)}"),
        };
        return new(reason, $"The lease on '{Grant.Resource}' {what}") { DecidedLocally = true };
    }

    /// <summary>Takes the source that is cancelled when the lease is lost.</summary>
    public LostSource Keep_NeedsLock(LostSource source) => _lost = source;

    /// <summary>The handle was garbage-collected. From now on the lease holds its source by a weak reference.</summary>
    /// <returns>Whether it has a source, whose own collection shows that the token is not referenced either.</returns>
    public bool LetGo_NeedsLock()
    {
        if (_lost is null) return false;
        (_lostOfNobody, _lost) = (new(_lost), null);
        return true;
    }

    public Task NextChange_NeedsLock() =>
        IsOver ? Task.CompletedTask : (_change ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    private string WhyNotRenewed(TimeSpan leap) => leap > Max(RenewalTimeout, ShortestLeap)
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"{leap.TotalSeconds:0.#} s went by at once here: the process was stopped, or its machine slept or had its clock set.")
        : Trouble?.Told() ?? "no answer came.";

    private void Tell_NeedsLock()
    {
        _change?.TrySetResult();
        _change = null;
    }

    private TimeSpan Trusted(TimeSpan granted) => new((long)(granted.Ticks * _trust));

    // Jittered, so that leases taken together are not renewed together for ever; and never later than halfway to the end.
    private void RenewSoon(TimeSpan renewAfter, TimeSpan now)
    {
        var wait = renewAfter * (0.9 + (_random.NextDouble() / 10));
        // What is not held for longer anyhow is renewed no sooner for that: the service still says whether it stands.
        if (EndsAt != _holdUntil) wait = Min(wait, (EndsAt - now) / 2);
        RenewAt = now + Max(wait, SoonestRenewal);
    }

    private static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => Min(Max(value, min), max);

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
