namespace OrleansLeases.Core;

/// <summary>
/// What the keepers of keys and leases ask of each other, wherever they are. Safe for concurrent use; a call never keeps
/// the caller's own keeper from its next call.
/// </summary>
internal interface IKeepers
{
    /// <summary>Has a lease's keeper note something about keys.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="command">
    /// One of <see cref="LeaseCommand.Attach"/>, <see cref="LeaseCommand.Detach"/> and <see cref="LeaseCommand.CleanUpDone"/>.
    /// </param>
    /// <returns>That it is on record, or why not.</returns>
    Task<LeaseResult<LeaseReply.Acknowledged>> AskLeaseAsync(string resource, LeaseCommand<LeaseReply.Acknowledged> command);

    /// <summary>Asks a lease's keeper for the keys that a lease has on record.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="command">Which lease.</param>
    /// <returns>The names of the keys, or why not.</returns>
    Task<LeaseResult<LeaseReply.AttachedKeys>> AskLeaseAsync(string resource, LeaseCommand.GetAttachedKeys command);

    /// <summary>Asks a lease's keeper which tokens are in force.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="command">The question.</param>
    /// <returns>The tokens, or why not.</returns>
    Task<LeaseResult<LeaseReply.ActiveTokens>> AskLeaseAsync(string resource, LeaseCommand.GetActiveTokens command);

    /// <summary>Has a key's keeper clean up after a lease.</summary>
    /// <param name="key">The key.</param>
    /// <param name="command">Which lease.</param>
    /// <returns>That nothing of the lease is left, or why not.</returns>
    Task<LeaseResult<KeyReply<KeyReply.Cleaned>>> AskKeyAsync(string key, KeyCommand.Clean command);

    /// <summary>Has a key's keeper give up what came to nothing.</summary>
    /// <param name="key">The key.</param>
    /// <param name="command">Which lease the key was attached to.</param>
    /// <returns>What is to be detached, or why not.</returns>
    Task<LeaseResult<KeyReply<KeyReply.Forgone>>> AskKeyAsync(string key, KeyCommand.Forgo command);
}

/// <summary>The keepers of the keys whose calls are led here. Safe for concurrent use.</summary>
internal interface IKeyKeepers
{
    /// <summary>Asks a key's keeper.</summary>
    /// <typeparam name="TReply">The reply of the command.</typeparam>
    /// <param name="key">The key.</param>
    /// <param name="command">The command.</param>
    /// <returns>The reply, or why not.</returns>
    Task<LeaseResult<KeyReply<TReply>>> SubmitAsync<TReply>(string key, KeyCommand<TReply> command)
        where TReply : KeyReply<TReply>;
}
