namespace OrleansLeases;

/// <summary>
/// A service that can be called for somebody: it checks the caller's rights itself, for every verb, batch item, listing and watch.
/// The embedded engine and the Orleans host implement it. Thread-safe.
/// </summary>
public interface ICallerScopes
{
    /// <summary>The service as a caller sees it: what its rights do not give is refused with <see cref="Refusal.Forbidden"/>.</summary>
    /// <param name="caller">The caller.</param>
    /// <returns>The service; it costs little and may be kept.</returns>
    ILeaseService For(LeaseCaller caller);
}
