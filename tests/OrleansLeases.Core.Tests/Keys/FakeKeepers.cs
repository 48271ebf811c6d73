namespace OrleansLeases.Core.Tests;

/// <summary>Keepers of keys and leases that answer as a test says, and count what they are asked.</summary>
internal sealed class FakeKeepers : IKeepers
{
    private readonly TaskCompletionSource _released = new();

    /// <summary>The tokens in force of every resource.</summary>
    public IReadOnlyCollection<long> InForce { get; set; } = [];

    /// <summary>Why a lease refuses; null where it does not.</summary>
    public Func<LeaseCommand, Refusal?> OfLease { get; set; } = _ => null;

    /// <summary>Why a key refuses; null where it does not. It may throw.</summary>
    public Func<string, Refusal?> OfKey { get; set; } = _ => null;

    /// <summary>Whether keys are answered only after <see cref="Release"/>.</summary>
    public bool Hold { get; set; }

    /// <summary>The keys that were asked, each time.</summary>
    public List<string> Keys { get; } = [];

    /// <summary>What leases were told.</summary>
    public List<LeaseCommand.CleanUpDone> Noted { get; } = [];

    public void Release() => _released.SetResult();

    public Task<LeaseResult<LeaseReply.Acknowledged>> AskLeaseAsync(string resource, LeaseCommand<LeaseReply.Acknowledged> command)
    {
        if (command is LeaseCommand.CleanUpDone done) Noted.Add(done);
        return Result(OfLease(command), LeaseReply.Acknowledged.Instance);
    }

    public Task<LeaseResult<LeaseReply.AttachedKeys>> AskLeaseAsync(string resource, LeaseCommand.GetAttachedKeys command) =>
        Result(OfLease(command), new LeaseReply.AttachedKeys(new Dictionary<string, long>()));

    public Task<LeaseResult<LeaseReply.ActiveTokens>> AskLeaseAsync(string resource, LeaseCommand.GetActiveTokens command) =>
        Result(OfLease(command), new LeaseReply.ActiveTokens(InForce));

    public async Task<LeaseResult<KeyReply<KeyReply.Cleaned>>> AskKeyAsync(string key, KeyCommand.Clean command)
    {
        Keys.Add(key);
        if (Hold) await _released.Task;
        if (OfKey(key) is { } refusal) return refusal;
        return KeyReply.Cleaned.Instance;
    }

    public Task<LeaseResult<KeyReply<KeyReply.Forgone>>> AskKeyAsync(string key, KeyCommand.Forgo command) =>
        throw new NotSupportedException();

    private static Task<LeaseResult<TReply>> Result<TReply>(Refusal? refusal, TReply reply)
        where TReply : class => Task.FromResult<LeaseResult<TReply>>(refusal is null ? reply : refusal);
}
