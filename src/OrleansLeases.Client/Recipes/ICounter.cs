namespace OrleansLeases.Client.Recipes;

/// <summary>A 64-bit counter that many processes add to. Thread-safe.</summary>
/// <remarks>
/// <see cref="Counter"/> is one, and says what is guaranteed and what is not. Code that takes this interface
/// can be given another one in its unit tests.
/// </remarks>
public interface ICounter
{
    /// <summary>Adds; retries for 30 s where the service cannot be reached or the outcome is unknown.</summary>
    /// <param name="delta">What to add: any 64-bit integer; 1 by default.</param>
    /// <param name="requestId">
    /// 1 to 128 bytes of UTF-8 that identify this addition, such as the id of the message that caused it; a new one where left out.
    /// </param>
    /// <param name="cancellationToken">Ends the call. The addition may have been made.</param>
    /// <returns>The number after this addition; an absent key counts as 0.</returns>
    /// <exception cref="LeaseRefusedException">
    /// The key's value is no number or would overflow, the service did not respond, or the request is malformed or not allowed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<long> AddAsync(long delta = 1, string? requestId = null, CancellationToken cancellationToken = default);

    /// <summary>Reads the number.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The number; 0 where there is no such key.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="FormatException">The key's value is no number.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<long> ReadAsync(CancellationToken cancellationToken = default);
}
