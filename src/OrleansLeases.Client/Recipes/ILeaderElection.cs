namespace OrleansLeases.Client.Recipes;

/// <summary>The election of one leader among candidates. Thread-safe.</summary>
/// <remarks>
/// <see cref="LeaderElection"/> is one, and says what is guaranteed and what is not. Code that takes this interface
/// can be given another one in its unit tests.
/// </remarks>
public interface ILeaderElection
{
    /// <summary>Campaigns, and waits in the queue without a limit.</summary>
    /// <param name="cancellationToken">Withdraws the candidate.</param>
    /// <returns>The leadership. Dispose it to resign.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<Leadership> CampaignAsync(CancellationToken cancellationToken = default);

    /// <summary>Campaigns, leads for one term, and resigns.</summary>
    /// <param name="lead">
    /// The work of the leader; the term ends when it returns. Its token is cancelled when the leadership is lost, and when
    /// <paramref name="cancellationToken"/> is; it is awaited nevertheless.
    /// </param>
    /// <param name="cancellationToken">Withdraws the candidate, or cancels the token of the work.</param>
    /// <returns>Completes when the term is over.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="lead"/> is null.</exception>
    /// <exception cref="LeaseLostException">
    /// The leadership was lost before the leader had resigned. Its other exceptions are passed on.
    /// </exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="CampaignAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task RunAsync(Func<Leadership, CancellationToken, Task> lead, CancellationToken cancellationToken = default);

    /// <summary>Returns the current leader.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The leader at some moment of the call; null where there was none.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<Leader?> GetLeaderAsync(CancellationToken cancellationToken = default);

    /// <summary>Observes the leader: first the current one, then every change. A short term may be left out.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The leaders as they come, each once; null while there is none. Ends when the service shuts down.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    IAsyncEnumerable<Leader?> ObserveAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Requests the leader to hand over (see <see cref="Leadership.HandOverToken"/>). It leads no longer than the notice, or
    /// until its current deadline if that is later; the next candidate leads then, or once it has resigned.
    /// </summary>
    /// <param name="notice">
    /// The notice: 0 to 24 h. The leader receives it only if it is well over a third of the time to live.
    /// </param>
    /// <param name="reason">Why, for the leader and the history: 1 to 512 bytes of UTF-8 without control characters.</param>
    /// <param name="cancellationToken">Ends the call. The leader may have been notified.</param>
    /// <returns>The leader that was notified; null where there was none, or its term was over by then.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="reason"/> is null.</exception>
    /// <exception cref="LeaseRefusedException">The service refused, or did not respond for 30 s.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<Leader?> AskToHandOverAsync(TimeSpan notice, string reason, CancellationToken cancellationToken = default);
}
