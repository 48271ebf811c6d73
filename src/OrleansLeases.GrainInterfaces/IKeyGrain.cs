using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// One key, or counter, for Orleans applications that call grains directly. Get it with
/// <see cref="LeaseGrainFactoryExtensions.GetKey"/>. Safe for concurrent use.
/// </summary>
/// <remarks>
/// <para>The methods are those of <see cref="ILeaseService"/>, with the same responses: a refusal is a value. An exception
/// comes from Orleans alone, such as a <see cref="TimeoutException"/>, and leaves the outcome of a change unknown: repeat
/// the call with its request id, a delete as it is.</para>
/// <para>A key that is bound to a lease exists only while the lease is in force: for every call this grain calls the lease's grain, which
/// compares with the store. Where the lease does not respond within 2 s, the call is refused with <see cref="Refusal.Unavailable"/>.</para>
/// <para>Within a silo neither requests nor responses are copied; both are immutable.</para>
/// <para>A cancelled token abandons the response, not the change.</para>
/// </remarks>
[Alias("OrleansLeases.IKeyGrain"), DefaultGrainType("key")]
public interface IKeyGrain : IGrainWithStringKey
{
    /// <summary>
    /// Writes the key, bound to a lease or free-standing. Applied once for a request id: name one in every request, since
    /// a call that timed out can only be repeated with it.
    /// </summary>
    /// <param name="request">The value, and the lease to bind the key to.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the write may still happen.</param>
    /// <returns>
    /// The version written, or <see cref="Refusal.NotHolder"/> where the lease named is not in force,
    /// <see cref="Refusal.Conflict"/> (another version, or a request id used before with other content),
    /// <see cref="Refusal.LimitReached"/> (keys of the lease) or a service-wide refusal.
    /// </returns>
    [Alias("Put")]
    Task<LeaseResult<KeyPut>> PutAsync([Immutable] PutKeyRequest request, CancellationToken cancellationToken = default);

    /// <summary>Reads the key.</summary>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>
    /// The key; <see cref="Refusal.NotFound"/>, or <see cref="Refusal.Unavailable"/> where its lease did not respond in time.
    /// </returns>
    [Alias("Get")]
    Task<LeaseResult<KeyValue>> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Deletes the key, whatever it is bound to. A repeat finds nothing to delete.</summary>
    /// <param name="ifVersion">Deletes only this version of the key; any version where left out.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the delete may still happen.</param>
    /// <returns>Whether the key existed, or <see cref="Refusal.Conflict"/> where it has another version.</returns>
    [Alias("Delete")]
    Task<LeaseResult<KeyDeletion>> DeleteAsync(long? ifVersion = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds to the key, whose value is a decimal 64-bit integer; an absent key counts as 0. Applied once for a request id,
    /// which is recognised for at least the last 1,024 changes of the key.
    /// </summary>
    /// <param name="request">The delta, and the lease to bind the key to.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the addition may still happen.</param>
    /// <returns>
    /// The sum, or <see cref="Refusal.Conflict"/> where the value is no integer or the sum would overflow, or a refusal
    /// of a put.
    /// </returns>
    [Alias("Add")]
    Task<LeaseResult<CounterValue>> AddAsync([Immutable] AddToCounterRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Watches the key's stored changes, from a point of its history or from its current state on. They come in batches of at
    /// most 256. The first batch, which may be empty, comes at once: after it the caller receives every later change.
    /// </summary>
    /// <param name="since">
    /// The last change known, as an event's <see cref="WatchEvent.ResumeFrom"/>; without it the first event is the state.
    /// </param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>
    /// The events, each once and in order, or <see cref="WatchEvent.Resync"/>; a refusal, as the only batch, where the
    /// watch cannot start. The enumeration ends when the activation does, with <see cref="EnumerationAbortedException"/> where
    /// the silo died, and when the caller takes nothing for a minute: start another from the last event.
    /// </returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(WatchPoint? since = null, CancellationToken cancellationToken = default);
}
