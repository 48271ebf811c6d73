namespace OrleansLeases.Core;

/// <summary>Grants whose caller did not stay for the response.</summary>
public static class UndeliveredGrants
{
    /// <summary>
    /// Waits for the answer to an acquire for no longer than its caller wants to. What is granted behind one who has gone is given
    /// back, unless a repeat of the request id has had it as a response.
    /// </summary>
    /// <param name="answer">The answer.</param>
    /// <param name="giveUp">
    /// Takes the acquire out of the queue where it still waits there, and gets its answer, however long that takes.
    /// </param>
    /// <param name="giveBack">Ends a grant that was not delivered.</param>
    /// <param name="cancellationToken">The caller goes.</param>
    /// <returns>The answer.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled before there was an answer.</exception>
    public static async Task<LeaseResult<LeaseGrant>> AnswerAsync(
        Task<LeaseResult<LeaseGrant>> answer,
        Func<Task<LeaseResult<LeaseGrant>>> giveUp,
        Func<LeaseGrant, ValueTask<LeaseResult<LeaseRelease>>> giveBack,
        CancellationToken cancellationToken)
    {
        try
        {
            return await answer.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (answer.IsCompletedSuccessfully) return await answer.ConfigureAwait(false);
            // It outlives the call, and is nobody's.
            _ = Background.Make(() => GiveBackAsync(giveUp, giveBack));
            throw;
        }
    }

    private static async Task GiveBackAsync(
        Func<Task<LeaseResult<LeaseGrant>>> giveUp, Func<LeaseGrant, ValueTask<LeaseResult<LeaseRelease>>> giveBack)
    {
        try
        {
            if (!(await giveUp().ConfigureAwait(false)).TryGetValue(out var grant, out _) || grant.Replayed) return;
            await giveBack(grant).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It has left the queue; or else what it was granted runs out.
        }
    }
}
