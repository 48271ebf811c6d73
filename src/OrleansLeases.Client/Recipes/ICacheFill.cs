namespace OrleansLeases.Client.Recipes;

/// <summary>A cache entry that one caller fills where it is missing. Thread-safe.</summary>
/// <remarks>
/// <see cref="CacheFill"/> is one, and says what is guaranteed and what is not. Code that takes this interface
/// can be given another one in its unit tests.
/// </remarks>
public interface ICacheFill
{
    /// <summary>Returns the entry's value; fills it first where it is missing and no other caller is filling it.</summary>
    /// <param name="fill">
    /// Makes the value: text of at most 64 KiB less one byte. Its token is cancelled when the lease is lost, and when <paramref
    /// name="cancellationToken"/> is.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, or cancels the token of the filling; then another caller fills.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="fill"/> is null.</exception>
    /// <exception cref="CacheFillException">
    /// Another caller's filling failed while this one waited. Exceptions of the caller's own are passed on.
    /// </exception>
    /// <exception cref="LeaseLostException">This caller was filling, and lost its lease before the value was stored.</exception>
    /// <exception cref="LeaseRefusedException">The service refused, such as a value that is too large, or did not respond.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<string> GetOrFillAsync(Func<CancellationToken, Task<string>> fill, CancellationToken cancellationToken = default);

    /// <summary>Removes the entry: the next caller fills it again, and a value that is being made now is not stored.</summary>
    /// <param name="cancellationToken">Ends the call. The entry may have been removed.</param>
    /// <returns>Completes when it is done.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask InvalidateAsync(CancellationToken cancellationToken = default);
}
