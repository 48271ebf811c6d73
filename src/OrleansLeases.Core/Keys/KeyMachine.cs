using System.Globalization;

namespace OrleansLeases.Core;

/// <summary>
/// The rules of a key: pure functions of its record, the command with its premise, and the time. Leases are other
/// records; where the answer depends on one, the reply says what to find out, and the command comes again with that.
/// </summary>
internal static class KeyMachine
{
    /// <summary>Applies one command.</summary>
    /// <typeparam name="TReply">The reply of the command.</typeparam>
    /// <param name="key">The key's name.</param>
    /// <param name="state">The record.</param>
    /// <param name="command">What happens.</param>
    /// <param name="now">When.</param>
    /// <param name="rules">The host's rules.</param>
    /// <returns>What it does.</returns>
    public static KeyTransition<TReply> Apply<TReply>(string key, KeyState state, KeyCommand<TReply> command, Instant now, LeaseRules rules)
        where TReply : KeyReply<TReply>
    {
        ArgumentNullException.ThrowIfNull(command);
        // An end is stored before any response shows it, so every command starts here. What it does besides goes into the same write.
        var version = state.NextVersion;
        if (state.IsOver(now)) state = state.Expire(now);
        var draft = new KeyDraft(key, state, version, command.LeaseCheck, now, rules);
        var reply = command.Apply(draft);
        return new(draft.Next, reply);
    }
}

/// <summary>The next record of a key in the making. Lives for one command.</summary>
internal sealed class KeyDraft(string key, KeyState state, long version, LeaseCheck? check, Instant now, LeaseRules rules)
{
    private readonly TimeSpan _at = LeaseMachine.CeilToMillisecond(now.Latest);
    private KeyState? _next;

    public KeyState Next => _next ?? state;

    /// <summary>Whether the check is about the binding that the key has now. If the binding has changed since, check again.</summary>
    private bool Settled => check is { } found && found.Generation == state.Generation;

    // That a lease has ended stays true; that it was in force when it was checked may have changed. The response is then as of the
    // check, and a clean-up of what is written follows.
    private bool Ended => Settled && check!.Ended;

    private bool Exists => state.Value is not null && !Ended;

    private long Revision => Exists ? state.Revision : 0;

    public KeyReply<KeyReply.Found> Get()
    {
        KeyReply<KeyReply.Found> there =
            state.Value is { } value ? new KeyReply.Found(value, state.Revision, state.Binding) : Refusals.NoSuchKey(key);
        if (state.Binding is { } binding && !Settled)
            return new KeyReply<KeyReply.Found>.AskWhetherInForce(state.Generation, binding, there);
        return Exists ? there : Refusals.NoSuchKey(key);
    }

    public KeyReply<KeyReply.Written> Put(PutKeyRequest request, RequestFingerprint fingerprint)
    {
        if (Replay(fingerprint) is { } replay) return replay;
        var binding = KeyBinding.Of(request.Lease);
        if (AskAboutLease<KeyReply.Written>(binding) is { } ask) return ask;
        if (request.IfVersion is { } expected && expected != Revision) return Refusals.VersionDiffers(key, expected, Revision);
        var expiry = request.Ttl is { } ttl ? KeyExpiry.After(ttl, now, rules) : null;
        return AskToAttach(binding) ?? Write(request.Value, binding, expiry, sum: null, fingerprint);
    }

    public KeyReply<KeyReply.Written> Add(AddToCounterRequest request, RequestFingerprint fingerprint)
    {
        if (Replay(fingerprint) is { } replay) return replay;
        var binding = KeyBinding.Of(request.Lease);
        if (AskAboutLease<KeyReply.Written>(binding) is { } ask) return ask;
        var value = 0L;
        // The parser lets zero characters at the end pass.
        if (Exists && (state.Value!.EndsWith('\0')
            || !long.TryParse(state.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)))
            return Refusals.NoInteger(key);
        var sum = unchecked(value + request.Delta);
        if (request.Delta < 0 ? sum > value : sum < value) return Refusals.Overflows(key, value, request.Delta);
        if (AskToAttach(binding) is { } attach) return attach;
        var (kept, expiry) = binding is null && Exists ? (state.Binding, state.Expiry) : (binding, null);
        return Write(sum.ToString(CultureInfo.InvariantCulture), kept, expiry, sum, fingerprint);
    }

    public KeyReply<KeyReply.Deleted> Delete(long? ifVersion)
    {
        if (AskAboutLease<KeyReply.Deleted>(to: null) is { } ask) return ask;
        if (ifVersion is { } expected && expected != Revision) return Refusals.VersionDiffers(key, expected, Revision);
        // Where its lease has ended, the clean-up is on its way.
        if (!Exists) return new KeyReply.Deleted(Existed: false);
        var unbound = Store(value: null, binding: null, expiry: null, new KeyLogEntry(KeyEventKind.KeyDeleted, _at, null, default));
        return new KeyReply.Deleted(Existed: true, unbound);
    }

    public KeyReply<KeyReply.Cleaned> Clean(string resource, long token)
    {
        if (state.Binding is { } binding && binding.Token == token && binding.Resource == resource)
            Store(value: null, binding: null, expiry: null, new KeyLogEntry(KeyEventKind.KeyDeleted, _at, null, default));
        else
            _next = state with { Version = version, Generation = state.Generation + 1, IdleSince = IdleSince(state.Value) };
        return KeyReply.Cleaned.Instance;
    }

    public KeyReply<KeyReply.Forgone> Forgo(string resource, long token, long since)
    {
        if (state.Binding is { } binding && binding.Token == token && binding.Resource == resource) return new KeyReply.Forgone(null);
        // Another write of the same lease may rely on the name. In a new generation it loses, and attaches it again.
        // Decision forgetting-asks-the-key.
        if (state.Generation <= since)
            _next = state with { Version = version, Generation = since + 1, IdleSince = IdleSince(state.Value) };
        return new KeyReply.Forgone(Next.Generation);
    }

    /// <summary>A request id that was applied before: what it did then, whatever the key is now.</summary>
    private KeyReply<KeyReply.Written>? Replay(RequestFingerprint fingerprint)
    {
        if (!state.Log.TryFind(fingerprint.Id, out var done, out var revision)) return null;
        return done.Request.Content == fingerprint.Content
            ? new KeyReply.Written(revision, done.Sum, Replayed: true)
            : Refusals.RequestIdReused();
    }

    /// <summary>
    /// Whether the key exists depends on its lease. Where it is to be bound to the same one, attaching shows that as well.
    /// </summary>
    private KeyReply<TReply>? AskAboutLease<TReply>(KeyBinding? to)
        where TReply : KeyReply<TReply> => state.Binding is { } binding && !Settled && !IsBoundTo(to)
        ? new KeyReply<TReply>.AskWhetherInForce(state.Generation, binding)
        : null;

    private KeyReply<KeyReply.Written>? AskToAttach(KeyBinding? to)
    {
        if (to is null || (Settled && check!.Attached)) return null;
        var bound = IsBoundTo(to) && !Ended;
        return new KeyReply<KeyReply.Written>.AskToAttach(
            bound ? 0 : state.Generation, new LeaseCheck(state.Generation, Ended, Attached: true));
    }

    private bool IsBoundTo(KeyBinding? to) =>
        to is not null && state.Binding is { } binding && binding.Token == to.Token && binding.Resource == to.Resource;

    private KeyReply.Written Write(string value, KeyBinding? binding, KeyExpiry? expiry, long? sum, RequestFingerprint fingerprint)
    {
        var unbound = Store(value, binding, expiry, new KeyLogEntry(KeyEventKind.KeyPut, _at, sum, fingerprint));
        return new(Next.Revision, sum, Replayed: false, unbound);
    }

    private TimeSpan? IdleSince(string? value) => value is null ? _at : null;

    private DetachedBinding? Store(string? value, KeyBinding? binding, KeyExpiry? expiry, KeyLogEntry entry)
    {
        var log = state.Log;
        // What was bound to an ended lease was deleted with it: that is a change of its own.
        // Decision write-over-an-ended-lease-is-two-changes.
        if (Ended) log = log.Append(new KeyLogEntry(KeyEventKind.KeyDeleted, _at, null, default), KeyState.LogLength);
        _next = state with
        {
            Schema = expiry is null ? 1 : 2,
            Version = version,
            IdleSince = IdleSince(value),
            Generation = binding == state.Binding ? state.Generation : state.Generation + 1,
            Value = value,
            Binding = binding,
            Expiry = expiry,
            Log = log.Append(entry, KeyState.LogLength),
        };
        return state.Binding is { } before && Next.Generation != state.Generation && !Ended ? new(before, Next.Generation) : null;
    }
}
