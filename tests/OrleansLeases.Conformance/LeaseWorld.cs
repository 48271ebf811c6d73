namespace OrleansLeases.Conformance;

/// <summary>
/// One implementation of <see cref="ILeaseService"/> with its clock, made anew for every test. A later implementation
/// takes part by deriving from this and from every suite; <see cref="Completeness"/> finds what it lacks.
/// </summary>
public abstract class LeaseWorld : IAsyncDisposable
{
    /// <summary>What <see cref="ServiceInfo.Engine"/> says.</summary>
    public abstract string Engine { get; }

    /// <summary>What <see cref="ServiceInfo.Durable"/> says.</summary>
    public abstract bool Durable { get; }

    /// <summary>The unit of the suites' times: 1 s under a clock that tests move, short under a real one.</summary>
    public virtual TimeSpan Unit => TimeSpan.FromSeconds(1);

    /// <summary>The least time that matters: durations are told as exactly as this. Zero under a clock that tests move.</summary>
    public virtual TimeSpan Blur => TimeSpan.Zero;

    /// <summary>Starts the service.</summary>
    /// <param name="limits">Its bounds.</param>
    /// <returns>The service, ready.</returns>
    public abstract Task<ILeaseService> StartAsync(LeaseLimits limits);

    /// <summary>The service as a caller sees it.</summary>
    /// <param name="service">The service that was started.</param>
    /// <param name="caller">The caller.</param>
    /// <returns>The service for that caller.</returns>
    public virtual ILeaseService For(ILeaseService service, LeaseCaller caller) => ((ICallerScopes)service).For(caller);

    /// <summary>Lets time pass, by moving a clock or by waiting.</summary>
    /// <param name="time">How much.</param>
    /// <returns>When it has passed. What it set off may still be on its way.</returns>
    public abstract Task PassAsync(TimeSpan time);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
