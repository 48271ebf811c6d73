using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// One key, or counter, for Orleans applications that call grains directly. Get it with
/// <see cref="LeaseGrainFactoryExtensions.GetKey"/>. Safe for concurrent use.
/// </summary>
/// <remarks>
/// <para>The methods are those of <see cref="ILeaseService"/>, with the same answers: a refusal is a value. An exception
/// comes from Orleans alone, such as a <see cref="TimeoutException"/>, and leaves the outcome of a change unknown: repeat
/// the call with its request id, a delete as it is.</para>
/// <para>A key that is bound to a lease is there only while that is: for every call the grain asks the lease's grain, which
/// compares with the store, and answers <see cref="Refusal.Unavailable"/> where that does not answer within 2 s.</para>
/// <para>Within a silo neither requests nor answers are copied, and neither changes once it is made.</para>
/// <para>A cancelled token abandons the answer, not the change.</para>
/// </remarks>
[Alias("OrleansLeases.IKeyGrain"), DefaultGrainType("key")]
public interface IKeyGrain : IGrainWithStringKey
{
    /// <summary>
    /// Writes the key, bound to a lease or free-standing. Applies once for a request id: name one in every request, since
    /// a call that timed out can only be repeated with it.
    /// </summary>
    /// <param name="request">The value, and what the key is bound to.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the write may happen all the same.</param>
    /// <returns>
    /// The version written, or <see cref="Refusal.NotHolder"/> where the lease named is not in force,
    /// <see cref="Refusal.Conflict"/> (another version, or a request id used before with other content),
    /// <see cref="Refusal.LimitReached"/> (keys of the lease) or a service-wide refusal.
    /// </returns>
    [Alias("Put")]
    Task<LeaseResult<KeyPut>> PutAsync([Immutable] PutKeyRequest request, CancellationToken cancellationToken = default);

    /// <summary>Reads the key.</summary>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>
    /// The key; <see cref="Refusal.NotFound"/>, or <see cref="Refusal.Unavailable"/> where its lease could not be asked in time.
    /// </returns>
    [Alias("Get")]
    Task<LeaseResult<KeyValue>> GetAsync(CancellationToken cancellationToken = default);

    /// <summary>Deletes the key, whatever it is bound to. A repeat finds nothing to delete.</summary>
    /// <param name="ifVersion">Delete only this version; without it, whatever is there.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the delete may happen all the same.</param>
    /// <returns>Whether there was such a key, or <see cref="Refusal.Conflict"/> where it has another version.</returns>
    [Alias("Delete")]
    Task<LeaseResult<KeyDeletion>> DeleteAsync(long? ifVersion = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds to the key, whose value is a decimal 64-bit integer; an absent key counts as 0. Applies once for a request id,
    /// which is recognised for at least the last 1,024 changes of the key.
    /// </summary>
    /// <param name="request">How much, and what the key is bound to.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the addition may happen all the same.</param>
    /// <returns>
    /// The sum, or <see cref="Refusal.Conflict"/> where the value is no integer or the sum would overflow, and otherwise
    /// what a put may refuse.
    /// </returns>
    [Alias("Add")]
    Task<LeaseResult<CounterValue>> AddAsync([Immutable] AddToCounterRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells of the key's stored changes, from a place in its history or from its present state, and then as they come. They
    /// come in portions, the first at once, so that the caller knows that the watch has begun; it may be empty.
    /// </summary>
    /// <param name="since">
    /// The last change known, as an event's <see cref="WatchEvent.ResumeFrom"/>; without it the first event is the state.
    /// </param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>
    /// The events, each once and in order, or <see cref="WatchEvent.Resync"/>; a refusal, the only portion then, where the
    /// watch cannot begin. The enumeration ends where the activation does, with <see cref="EnumerationAbortedException"/>
    /// if it ends unheard, and so does that of a caller who takes nothing for a minute: begin another from the last event.
    /// </returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(WatchPoint? since = null, CancellationToken cancellationToken = default);
}
