using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// The keepers of all names, asked by calls to their grains. Thread-safe. Whatever a grain call throws is told as
/// <c>unavailable</c>: the protocol repeats what it must.
/// </summary>
/// <param name="grains">The silo's.</param>
internal sealed class GrainKeepers(IGrainFactory grains) : IKeepers, IDisposable
{
    // Calls take real time, whatever clock the leases are under.
    public static readonly TimeProvider RealTime = TimeProvider.System;

    // Each reads and writes a record, with connections that the leases need as well.
    private const int CleanUpsAtOnce = 16;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _cleanUps = new(CleanUpsAtOnce);

    public async Task<object> AskLeaseAsync(string resource, LeaseCommand command)
    {
        try
        {
            var lease = grains.GetGrain<ILeaseUpkeep>(LeaseGrainKey.Of(resource));
            // What nobody waits for any more need not be done, if its turn has not come by then.
            using var patience = new CancellationTokenSource(KeyCalls.LeasePatience, RealTime);
            if (command is LeaseCommand.WhoHolds)
            {
                var answer = await lease.WhoHoldsAsync(patience.Token);
                return answer.TryGetValue(out var tokens, out var refusal) ? new LeaseReply.Tokens(tokens) : refusal;
            }

            if (command is LeaseCommand.AttachedKeys attached)
            {
                var names = await lease.AttachedKeysAsync(attached.Token, patience.Token);
                return names.TryGetValue(out var keys, out var refusal) ? new LeaseReply.Keys(keys) : refusal;
            }

            var refused = await (command switch
            {
                LeaseCommand.Attach attach => lease.AttachAsync(attach.Lease, attach.Key, attach.Since, patience.Token),
                LeaseCommand.Detach detach => lease.DetachAsync(detach.Token, detach.Key, detach.Generation, patience.Token),
                LeaseCommand.CleanUpDone done => lease.CleanUpDoneAsync(done.Token, [.. done.Keys], CancellationToken.None),
                _ => throw new ArgumentOutOfRangeException(nameof(command), command, "Only what concerns keys is asked from elsewhere."),
            });
            return refused ?? (object)LeaseReply.Noted.Instance;
        }
        catch (Exception error) when (error is not ArgumentOutOfRangeException)
        {
            return new Refusal.Unavailable(RetryAfter, $"The lease of '{resource}' did not answer.");
        }
    }

    public async Task<object> AskKeyAsync(string key, KeyCommand command)
    {
        await _cleanUps.WaitAsync();
        try
        {
            var grain = grains.GetGrain<IKeyUpkeep>(KeyGrainKey.Of(key));
            if (command is KeyCommand.Forgo forgo)
            {
                var (generation, refusal) = await grain.ForgoAsync(forgo.Resource, forgo.Token, forgo.Since, CancellationToken.None);
                return refusal ?? (object)new KeyReply.Forgone(generation);
            }

            if (command is not KeyCommand.Clean clean) throw new ArgumentOutOfRangeException(nameof(command), command, "Everything else is asked of the key's own grain.");
            return await grain.CleanAsync(clean.Resource, clean.Token, CancellationToken.None) ?? (object)KeyReply.Cleaned.Instance;
        }
        catch (Exception error) when (error is not ArgumentOutOfRangeException)
        {
            return new Refusal.Unavailable(RetryAfter, $"The key '{key}' did not answer.");
        }
        finally
        {
            _cleanUps.Release();
        }
    }

    public void Dispose() => _cleanUps.Dispose();
}
