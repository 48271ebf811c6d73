namespace OrleansLeases.Core;

/// <summary>The keepers of all names, wherever they are. Safe for concurrent use; a call never occupies the caller's own turn.</summary>
public interface IKeepers
{
    /// <summary>Asks a lease's keeper.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="command">What is asked: one of <see cref="LeaseCommand.Attach"/>, <see cref="LeaseCommand.Detach"/>, <see cref="LeaseCommand.AttachedKeys"/>, <see cref="LeaseCommand.WhoHolds"/> and <see cref="LeaseCommand.CleanUpDone"/>.</param>
    /// <returns>The <see cref="LeaseReply"/> or the <see cref="Refusal"/>.</returns>
    Task<object> AskLeaseAsync(string resource, LeaseCommand command);

    /// <summary>Asks a key's keeper.</summary>
    /// <param name="key">The key.</param>
    /// <param name="command">What is asked.</param>
    /// <returns>The <see cref="KeyReply"/> or the <see cref="Refusal"/>.</returns>
    Task<object> AskKeyAsync(string key, KeyCommand command);
}
