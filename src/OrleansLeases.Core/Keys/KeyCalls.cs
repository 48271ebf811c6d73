namespace OrleansLeases.Core;

/// <summary>
/// The calls about a key, from the request to the reply: the conversation between a key's keeper and the keepers of
/// leases. Thread-safe; nobody's turn is occupied while another is asked.
/// </summary>
/// <remarks>
/// <para>A bound write goes in three steps, and only in this order.</para>
/// <list type="number">
/// <item>The key's keeper is asked, and tells its generation g.</item>
/// <item>The lease's keeper puts the key's name on record, durably, if the lease is in force.</item>
/// <item>The key's keeper writes, if its generation still is g; otherwise all starts again.</item>
/// </list>
/// <para>
/// If the lease ends after step 2, its clean-up comes to this key. It comes after g was read, so either it finds the
/// write, and deletes it, or it starts a new generation, and the write loses, however late it comes: the stored version
/// has changed as well. The next try then finds the lease ended in step 2. A crash after step 2 leaves a name to clean.
/// </para>
/// <para>
/// A write that takes the key away from a lease tells that lease to forget the name, and does not wait for it. A name
/// attached for generation g is forgotten only for a later generation: so the message of an earlier write, late on its
/// way, never takes away the name that a write between steps 2 and 3 relies on.
/// </para>
/// <para>
/// A write that comes to nothing after step 2 has the name forgotten in the same way: the key's keeper starts a new
/// generation unless it is in one, or bound to that lease, and the lease forgets what was attached for an earlier one.
/// </para>
/// <para>
/// A read looks at the key first and asks the lease second: the lease was then in force when the key was looked at. That
/// it has ended is true of the key's whole generation, so the key is asked again with that, and counts as absent.
/// </para>
/// </remarks>
/// <param name="keepers">The keepers.</param>
/// <param name="time">The clock of the time limits.</param>
public sealed class KeyCalls(IKeepers keepers, TimeProvider time)
{
    // Each is lost only to someone else who changed what the key is bound to.
    private const int MaxRounds = 32;

    // A page may show the keys of as many leases as it has keys, and each may have to be loaded.
    private const int LeasesAtOnce = 64;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>How long a lease has to answer.</summary>
    public static readonly TimeSpan LeasePatience = TimeSpan.FromSeconds(2);

    /// <summary>Writes a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="request">The request, checked and with its request id.</param>
    /// <returns>The version written, or why not.</returns>
    public async Task<LeaseResult<KeyPut>> PutAsync(string key, PutKeyRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return await AskAsync(key, KeyCommand.Of(request), request.Lease, request.RequestId) switch
        {
            KeyReply.Written written => new KeyPut { Key = key, Version = written.Revision },
            var other => RefusalOf(other),
        };
    }

    /// <summary>Adds to a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="request">The request, checked and with its request id.</param>
    /// <returns>The sum, or why not.</returns>
    public async Task<LeaseResult<CounterValue>> AddAsync(string key, AddToCounterRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return await AskAsync(key, KeyCommand.Of(request), request.Lease, request.RequestId) switch
        {
            KeyReply.Written { Sum: { } sum } added => new CounterValue { Key = key, Value = sum, Version = added.Revision, Replayed = added.Replayed },
            var other => RefusalOf(other),
        };
    }

    /// <summary>Deletes a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="ifVersion">Only this version; null for any.</param>
    /// <returns>Whether there was one, or why not.</returns>
    public async Task<LeaseResult<KeyDeletion>> DeleteAsync(string key, long? ifVersion) =>
        await AskAsync(key, new KeyCommand.Delete(ifVersion), lease: null, requestId: null) switch
        {
            KeyReply.Deleted deleted => new KeyDeletion { Key = key, Existed = deleted.Existed },
            var other => RefusalOf(other),
        };

    /// <summary>Reads a key.</summary>
    /// <param name="key">The key.</param>
    /// <returns>The key, or why not.</returns>
    public async Task<LeaseResult<KeyValue>> GetAsync(string key) =>
        await AskAsync(key, new KeyCommand.Get(), lease: null, requestId: null) switch
        {
            KeyReply.Found found => ValueOf(key, found),
            var other => RefusalOf(other),
        };

    /// <summary>
    /// Ends the start of a watch: as a read does, it asks the lease after the key was looked at. The changes that follow
    /// are told as they are stored, and say what was: a bound key's deletion may be on its way.
    /// </summary>
    /// <param name="looked">What the key's keeper answered to <see cref="KeyKeeper.Watch"/>.</param>
    /// <returns>The watch, or why not.</returns>
    public async Task<LeaseResult<LeaseWatch>> WatchAsync(Task<object> looked)
    {
        ArgumentNullException.ThrowIfNull(looked);
        var start = await looked;
        if (start is not KeyWatch watch) return RefusalOf(start);
        if (watch.Binding is not { } binding) return watch.Start(ended: false);
        return await AskLeaseAsync(binding.Resource, LeaseCommand.WhoHolds.Instance) switch
        {
            LeaseReply.Tokens tokens => watch.Start(ended: !tokens.InForce.Contains(binding.Token)),
            var other => RefusalOf(other),
        };
    }

    /// <summary>Ends a page of a listing: leaves out the keys whose leases have ended, asking each resource once.</summary>
    /// <param name="page">The page, filled from stored records.</param>
    /// <returns>The page, or why a lease could not be asked.</returns>
    public async Task<LeaseResult<KeyPage>> ToPageAsync(KeyListingPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        var resources = page.Read.Select(entry => entry.State.Binding?.Resource).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        var inForce = new Dictionary<string, IReadOnlyCollection<long>>(StringComparer.Ordinal);
        foreach (var portion in resources.Chunk(LeasesAtOnce))
        {
            var answers = await Task.WhenAll(portion.Select(resource => AskLeaseAsync(resource, LeaseCommand.WhoHolds.Instance)));
            if (answers.OfType<Refusal>().FirstOrDefault() is { } refusal) return refusal;
            foreach (var (resource, answer) in portion.Zip(answers)) inForce[resource] = ((LeaseReply.Tokens)answer).InForce.ToHashSet();
        }

        return new KeyPage
        {
            Keys =
            [
                .. from entry in page.Read
                   let binding = entry.State.Binding
                   where binding is null || inForce[binding.Resource].Contains(binding.Token)
                   select ValueOf(entry.Key, new KeyReply.Found(entry.State.Value!, entry.State.Revision, binding)),
            ],
            Next = page.Next,
        };
    }

    private async Task<object> AskAsync(string key, KeyCommand command, KeyLease? lease, string? requestId)
    {
        var attachment = new Attachment();
        var reply = await ConverseAsync(key, command, lease, requestId, attachment);
        if (attachment.Since is { } since && reply is not KeyReply.Written { Replayed: false })
        {
            // Nobody waits for it, nor is it anybody's.
            _ = Background.Make(() => ForgoAsync(key, lease!, since));
        }

        return reply;
    }

    private async Task<object> ConverseAsync(string key, KeyCommand command, KeyLease? lease, string? requestId, Attachment attachment)
    {
        for (var round = 0; round < MaxRounds; round++)
        {
            var reply = await keepers.AskKeyAsync(key, command);
            switch (reply)
            {
                case KeyReply.AskWhetherInForce ask:
                    var answer = await AskLeaseAsync(ask.Binding.Resource, LeaseCommand.WhoHolds.Instance);
                    if (answer is not LeaseReply.Tokens tokens) return answer;
                    var inForce = tokens.InForce.Contains(ask.Binding.Token);
                    if (inForce && ask.IfInForce is { } there) return there;
                    command = command with { Premise = new KeyPremise(ask.Generation, Ended: !inForce, Attached: false) };
                    break;
                case KeyReply.AskToAttach ask:
                    var attached = await AttachAsync(lease!, key, ask.Since, attachment);
                    if (attached is Refusal.OutcomeUnknown unknown) return unknown with { RequestId = requestId };
                    if (attached is not LeaseReply.Noted) return attached;
                    command = command with { Premise = ask.Then };
                    break;
                case KeyReply.Written { Unbound: { } unbound }:
                    Detach(key, unbound);
                    return reply;
                case KeyReply.Deleted { Unbound: { } unbound }:
                    Detach(key, unbound);
                    return reply;
                default:
                    return reply;
            }
        }

        return new Refusal.Unavailable(TimeSpan.Zero, $"'{key}' is being bound and unbound by others all the time; repeat the call.");
    }

    private async Task<object> AttachAsync(KeyLease lease, string key, long since, Attachment attachment)
    {
        var command = new LeaseCommand.Attach(lease, key, since);
        var attached = await AskLeaseAsync(lease.Resource, command);
        // Names may have been left over by writes that came to nothing, where their detach was lost as well.
        if (attached is Refusal.LimitReached && await ForgoUnboundAsync(lease)) attached = await AskLeaseAsync(lease.Resource, command);
        // An attach without a certain answer may yet be stored.
        if (attached is LeaseReply.Noted or Refusal.OutcomeUnknown or Refusal.Unavailable) attachment.Since = since;
        return attached;
    }

    /// <summary>
    /// Has a lease forget the name of a key whose write came to nothing. The key's keeper is asked first: another write may have
    /// bound it to the lease, and one that is under way must not find the name gone. Where it fails the name stays, until the
    /// lease ends or has no room for another.
    /// </summary>
    private async Task ForgoAsync(string key, KeyLease lease, long since)
    {
        try
        {
            if (await keepers.AskKeyAsync(key, new KeyCommand.Forgo(lease.Resource, lease.Token, since)) is KeyReply.Forgone { Generation: { } generation })
                await AskLeaseAsync(lease.Resource, new LeaseCommand.Detach(lease.Token, key, generation));
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // As where there is no answer.
        }
    }

    /// <summary>Has a lease forget all names that no key is bound by. False where there is none to look at.</summary>
    private async Task<bool> ForgoUnboundAsync(KeyLease lease)
    {
        if (await AskLeaseAsync(lease.Resource, new LeaseCommand.AttachedKeys(lease.Token)) is not LeaseReply.Keys names) return false;
        foreach (var batch in names.Since.Chunk(LeasesAtOnce))
            await Task.WhenAll(batch.Select(name => ForgoAsync(name.Key, lease, name.Value)));
        return names.Since.Count > 0;
    }

    private async Task<object> AskLeaseAsync(string resource, LeaseCommand command)
    {
        try
        {
            return await keepers.AskLeaseAsync(resource, command).WaitAsync(LeasePatience, time);
        }
        catch (TimeoutException)
        {
            return new Refusal.Unavailable(RetryAfter, $"The lease of '{resource}' did not answer within {LeasePatience.TotalSeconds} s; nothing was changed.");
        }
    }

    // Nobody waits for it, nor hears of it: a name left over costs its clean-up and no more.
    private void Detach(string key, Unbound unbound) => _ = Background
        .Make(() => keepers.AskLeaseAsync(unbound.Binding.Resource, new LeaseCommand.Detach(unbound.Binding.Token, key, unbound.Generation)))
        .ContinueWith(static done => done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>The generation for which a write has its key's name on record with the lease; null where it has not.</summary>
    private sealed class Attachment
    {
        public long? Since { get; set; }
    }

    private static KeyValue ValueOf(string key, KeyReply.Found found) =>
        new() { Key = key, Value = found.Value, Version = found.Revision, Lease = found.Binding?.ToLease() };

    private static Refusal RefusalOf(object reply) => reply as Refusal
        ?? throw new InvalidOperationException($"A keeper answered with {reply}, which is no answer to what it was asked.");
}
