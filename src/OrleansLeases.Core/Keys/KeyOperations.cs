namespace OrleansLeases.Core;

/// <summary>
/// The calls about a key, from the request to the reply: the conversation between a key's keeper and the keepers of
/// leases. Thread-safe; no keeper is occupied while another one is called.
/// </summary>
/// <remarks>
/// <para>A bound write goes in three steps, and only in this order.</para>
/// <list type="number">
/// <item>The key's keeper returns its generation g.</item>
/// <item>The lease's keeper stores the key's name, if the lease is in force.</item>
/// <item>The key's keeper writes, if its generation still is g; otherwise all starts again.</item>
/// </list>
/// <para>
/// If the lease ends after step 2, its clean-up comes to this key. It comes after g was read, so either it finds the
/// write, and deletes it, or it starts a new generation, and the write loses, however late it comes: the stored version
/// has changed as well. The next try then finds the lease ended in step 2. A crash after step 2 leaves a name to clean.
/// </para>
/// <para>
/// A write that takes the key away from a lease detaches the name from that lease, and does not wait for it. A name
/// attached for generation g is forgotten only for a later generation: so the message of an earlier write, late on its
/// way, never takes away the name that a write between steps 2 and 3 relies on.
/// </para>
/// <para>
/// A write that fails after step 2 detaches the name in the same way: the key's keeper starts a new
/// generation unless it is in one, or bound to that lease, and the lease detaches what was attached for an earlier one.
/// </para>
/// <para>
/// A read goes to the key first and to the lease second: a lease in force then was in force when the key was read. That it has ended
/// is true of the key's whole generation, so the key is read again with that, and counts as absent.
/// </para>
/// </remarks>
/// <param name="keys">The keepers of the keys.</param>
/// <param name="keepers">The keepers of the leases, and of other keys.</param>
/// <param name="time">The clock of the time limits.</param>
internal sealed class KeyOperations(IKeyKeepers keys, IKeepers keepers, TimeProvider time)
{
    // Each is lost only to someone else who changed what the key is bound to.
    private const int MaxRounds = 32;

    private const int KeysAtOnce = 64;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>How long a lease has to answer.</summary>
    public static readonly TimeSpan LeaseTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Writes a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="request">The request, checked and with its request id.</param>
    /// <returns>The version written, or why not.</returns>
    public async Task<LeaseResult<KeyPut>> PutAsync(string key, PutKeyRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var answer = await AskAsync(key, KeyCommand.Of(request), request.Lease, request.RequestId);
        return answer.TryGetValue(out var written, out var refusal) ? new KeyPut { Key = key, Version = written.Revision } : refusal;
    }

    /// <summary>Adds to a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="request">The request, checked and with its request id.</param>
    /// <returns>The sum, or why not.</returns>
    public async Task<LeaseResult<CounterValue>> AddAsync(string key, AddToCounterRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var answer = await AskAsync(key, KeyCommand.Of(request), request.Lease, request.RequestId);
        return answer.TryGetValue(out var added, out var refusal)
            ? new CounterValue { Key = key, Value = added.Sum!.Value, Version = added.Revision, Replayed = added.Replayed }
            : refusal;
    }

    /// <summary>Deletes a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="ifVersion">Only this version; null for any.</param>
    /// <returns>Whether there was one, or why not.</returns>
    public async Task<LeaseResult<KeyDeletion>> DeleteAsync(string key, long? ifVersion)
    {
        var answer = await AskAsync(key, new KeyCommand.Delete(ifVersion), lease: null, requestId: null);
        return answer.TryGetValue(out var deleted, out var refusal) ? new KeyDeletion { Key = key, Existed = deleted.Existed } : refusal;
    }

    /// <summary>Reads a key.</summary>
    /// <param name="key">The key.</param>
    /// <returns>The key, or why not.</returns>
    public async Task<LeaseResult<KeyValue>> GetAsync(string key)
    {
        var answer = await AskAsync(key, new KeyCommand.Get(), lease: null, requestId: null);
        return answer.TryGetValue(out var found, out var refusal) ? found.ToValue(key) : refusal;
    }

    /// <summary>
    /// Starts a watch of a key, which ends where its keeper does: as a read does, it asks the lease after the key was looked at.
    /// The changes that follow are shown as they are stored, and say what was: a bound key's deletion may be on its way.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="since">The last change known; null to start with the state.</param>
    /// <returns>The watch, or why not.</returns>
    public async Task<LeaseResult<LeaseWatch>> WatchAsync(string key, WatchPoint? since)
    {
        var answer = await AskAsync(key, new KeyCommand.Watch(since), lease: null, requestId: null);
        if (!answer.TryGetValue(out var looked, out var refusal)) return refusal;
        var watch = looked.Watch!;
        if (watch.Binding is not { } binding) return watch.Start(ended: false);
        return (await ActiveTokensAsync(keepers, binding.Resource, time)).TryGetValue(out var tokens, out refusal)
            ? watch.Start(ended: !tokens.InForce.Contains(binding.Token))
            : refusal;
    }

    private async Task<LeaseResult<TReply>> AskAsync<TReply>(string key, KeyCommand<TReply> command, KeyLease? lease, string? requestId)
        where TReply : KeyReply<TReply>
    {
        var attachment = new Attachment();
        var answer = await ConverseAsync(key, command, lease, requestId, attachment);
        if (attachment.Since is { } since && !(answer.TryGetValue(out var reply, out _) && reply.UsesAttachment))
        {
            // Nobody waits for it, nor is it anybody's.
            _ = Background.SuppressFlow(() => ForgoAsync(forgo => keys.SubmitAsync(key, forgo), key, lease!, since));
        }

        return answer;
    }

    private async Task<LeaseResult<TReply>> ConverseAsync<TReply>(
        string key, KeyCommand<TReply> command, KeyLease? lease, string? requestId, Attachment attachment)
        where TReply : KeyReply<TReply>
    {
        for (var round = 0; round < MaxRounds; round++)
        {
            if (!(await keys.SubmitAsync(key, command)).TryGetValue(out var reply, out var refusal)) return refusal;
            switch (reply)
            {
                case KeyReply<TReply>.AskWhetherInForce ask:
                    var active = await ActiveTokensAsync(keepers, ask.Binding.Resource, time);
                    if (!active.TryGetValue(out var tokens, out refusal)) return refusal;
                    var inForce = tokens.InForce.Contains(ask.Binding.Token);
                    if (inForce && ask.IfInForce?.Done is { } there) return there;
                    command = command with { LeaseCheck = new LeaseCheck(ask.Generation, Ended: !inForce, Attached: false) };
                    break;
                case KeyReply<TReply>.AskToAttach ask:
                    if (await AttachAsync(lease!, key, ask.Since, attachment) is { } failure)
                        return failure is Refusal.OutcomeUnknown unknown ? unknown with { RequestId = requestId } : failure;
                    command = command with { LeaseCheck = ask.Then };
                    break;
                default:
                    if (reply.Leaves is { } detached) Detach(key, detached);
                    return reply.Done!;
            }
        }

        return new Refusal.Unavailable(TimeSpan.Zero, $"'{key}' is being bound and unbound by others all the time; repeat the call.");
    }

    /// <returns>Why the key could not be attached; null where it is.</returns>
    private async Task<Refusal?> AttachAsync(KeyLease lease, string key, long since, Attachment attachment)
    {
        var command = new LeaseCommand.Attach(lease, key, since);
        var failure = await AskAsync();
        // Names may have been left over by writes that came to nothing, where their detach was lost as well.
        if (failure is Refusal.LimitReached && await ForgoUnboundAsync(lease)) failure = await AskAsync();
        // An attach without a certain answer may yet be stored.
        if (failure is null or Refusal.OutcomeUnknown or Refusal.Unavailable) attachment.Since = since;
        return failure;

        async Task<Refusal?> AskAsync() => (await TellLeaseAsync(lease.Resource, command)).Refusal;
    }

    /// <summary>
    /// Detaches from a lease the name of a key whose write failed. The key's keeper is called first: another write may have bound it to
    /// the lease, and one that is under way relies on the name. Where this fails the name stays, until the lease ends or has no room
    /// for another.
    /// </summary>
    private async Task ForgoAsync(
        Func<KeyCommand.Forgo, Task<LeaseResult<KeyReply<KeyReply.Forgone>>>> ask, string key, KeyLease lease, long since)
    {
        try
        {
            var answer = await ask(new KeyCommand.Forgo(lease.Resource, lease.Token, since));
            if (answer.TryGetValue(out var reply, out _) && reply.Done is { Generation: { } generation })
                await TellLeaseAsync(lease.Resource, new LeaseCommand.Detach(lease.Token, key, generation));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // As where there is no answer.
        }
    }

    /// <summary>Has a lease forget all names that no key is bound by. False where there is none to look at.</summary>
    private async Task<bool> ForgoUnboundAsync(KeyLease lease)
    {
        var answer = await WithinTimeoutAsync(
            lease.Resource, keepers.AskLeaseAsync(lease.Resource, new LeaseCommand.GetAttachedKeys(lease.Token)), time);
        if (!answer.TryGetValue(out var names, out _)) return false;
        foreach (var batch in names.Since.Chunk(KeysAtOnce))
        {
            await Task.WhenAll(batch.Select(
                name => ForgoAsync(forgo => keepers.AskKeyAsync(name.Key, forgo), name.Key, lease, name.Value)));
        }

        return names.Since.Count > 0;
    }

    internal static Task<LeaseResult<LeaseReply.ActiveTokens>> ActiveTokensAsync(IKeepers keepers, string resource, TimeProvider time) =>
        WithinTimeoutAsync(resource, keepers.AskLeaseAsync(resource, LeaseCommand.GetActiveTokens.Instance), time);

    private Task<LeaseResult<LeaseReply.Acknowledged>> TellLeaseAsync(string resource, LeaseCommand<LeaseReply.Acknowledged> command) =>
        WithinTimeoutAsync(resource, keepers.AskLeaseAsync(resource, command), time);

    private static async Task<LeaseResult<TReply>> WithinTimeoutAsync<TReply>(
        string resource, Task<LeaseResult<TReply>> answer, TimeProvider time)
        where TReply : class
    {
        try
        {
            return await answer.WaitAsync(LeaseTimeout, time);
        }
        catch (TimeoutException)
        {
            return new Refusal.Unavailable(
                RetryAfter, $"The lease of '{resource}' did not answer within {LeaseTimeout.TotalSeconds} s; nothing was changed.");
        }
    }

    // No caller awaits it: a name left over costs a clean-up and no more.
    private void Detach(string key, DetachedBinding detached) => _ = Background
        .SuppressFlow(() => keepers.AskLeaseAsync(
            detached.Binding.Resource, new LeaseCommand.Detach(detached.Binding.Token, key, detached.Generation)))
        .ContinueWith(static done => done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>The generation for which a write has its key's name on record with the lease; null where it has not.</summary>
    private sealed class Attachment
    {
        public long? Since { get; set; }
    }
}
