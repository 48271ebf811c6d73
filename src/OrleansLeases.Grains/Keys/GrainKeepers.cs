using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// The keepers of all names, reached by calls to their grains. Thread-safe. An exception of a grain call becomes the refusal
/// <c>unavailable</c>; the protocol retries what it must.
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

    public Task<LeaseResult<LeaseReply.Acknowledged>> AskLeaseAsync(
        string resource, LeaseCommand<LeaseReply.Acknowledged> command) => AskAsync<LeaseReply.Acknowledged>(
        resource,
        async (lease, timeout) => await (command switch
        {
            LeaseCommand.Attach attach => lease.AttachAsync(attach.Lease, attach.Key, attach.Since, timeout),
            LeaseCommand.Detach detach => lease.DetachAsync(detach.Token, detach.Key, detach.Generation, timeout),
            LeaseCommand.CleanUpDone done => lease.CleanUpDoneAsync(done.Token, [.. done.Keys], CancellationToken.None),
            _ => throw new ArgumentOutOfRangeException(nameof(command), command, "Other grains send only commands about keys."),
        }) is { } refusal ? refusal : LeaseReply.Acknowledged.Instance);

    public Task<LeaseResult<LeaseReply.AttachedKeys>> AskLeaseAsync(
        string resource, LeaseCommand.GetAttachedKeys command) => AskAsync<LeaseReply.AttachedKeys>(
        resource,
        async (lease, timeout) => (await lease.AttachedKeysAsync(command.Token, timeout)).TryGetValue(out var keys, out var refusal)
            ? new LeaseReply.AttachedKeys(keys)
            : refusal);

    public Task<LeaseResult<LeaseReply.ActiveTokens>> AskLeaseAsync(
        string resource, LeaseCommand.GetActiveTokens command) => AskAsync<LeaseReply.ActiveTokens>(
        resource,
        async (lease, timeout) => (await lease.GetActiveTokensAsync(timeout)).TryGetValue(out var tokens, out var refusal)
            ? new LeaseReply.ActiveTokens(tokens)
            : refusal);

    public Task<LeaseResult<KeyReply<KeyReply.Cleaned>>> AskKeyAsync(string key, KeyCommand.Clean command) => AskAsync<KeyReply.Cleaned>(
        key,
        async grain => await grain.CleanAsync(command.Resource, command.Token, CancellationToken.None) is { } refusal
            ? refusal
            : KeyReply.Cleaned.Instance);

    public Task<LeaseResult<KeyReply<KeyReply.Forgone>>> AskKeyAsync(string key, KeyCommand.Forgo command) => AskAsync<KeyReply.Forgone>(
        key,
        async grain =>
        {
            var (generation, refusal) = await grain.ForgoAsync(command.Resource, command.Token, command.Since, CancellationToken.None);
            return refusal is null ? new KeyReply.Forgone(generation) : refusal;
        });

    private async Task<LeaseResult<TReply>> AskAsync<TReply>(
        string resource, Func<IInternalLeaseGrain, CancellationToken, Task<LeaseResult<TReply>>> ask)
        where TReply : class
    {
        try
        {
            // A call that is still queued when its caller has given up need not be processed.
            using var timeout = new CancellationTokenSource(KeyOperations.LeaseTimeout, RealTime);
            return await ask(grains.GetGrain<IInternalLeaseGrain>(LeaseGrainKey.Of(resource)), timeout.Token);
        }
        catch (Exception error) when (error is not ArgumentOutOfRangeException)
        {
            return new Refusal.Unavailable(RetryAfter, $"The lease of '{resource}' did not answer.");
        }
    }

    private async Task<LeaseResult<KeyReply<TReply>>> AskAsync<TReply>(
        string key, Func<IInternalKeyGrain, Task<LeaseResult<KeyReply<TReply>>>> ask)
        where TReply : KeyReply<TReply>
    {
        await _cleanUps.WaitAsync();
        try
        {
            return await ask(grains.GetGrain<IInternalKeyGrain>(KeyGrainKey.Of(key)));
        }
        catch (Exception)
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
