using System.Diagnostics;

namespace OrleansLeases.Core;

/// <summary>
/// What a host supplies to <see cref="ServiceFront"/>: the call to the keeper of one record, and the reading of many. Requests reach it
/// checked and with their request ids. Thread-safe.
/// </summary>
/// <remarks>
/// The front ends a cancelled call; a host need not. A change gets no token, since it goes on without its caller, and a read gets one
/// where that saves work.
/// </remarks>
internal partial interface IServiceHost
{
    /// <summary>How long a call may take, beyond the wait it asks for; <see cref="Timeout.InfiniteTimeSpan"/> where it is local.</summary>
    TimeSpan CallTimeout { get; }

    /// <summary>
    /// How long each renewal of a batch may take: those of the others grow old meanwhile.
    /// Decision batch-answers-in-two-seconds.
    /// </summary>
    TimeSpan BatchTimeout { get; }

    /// <summary>Why no more calls are taken, but for those of verbs that <see cref="Verb{TRequest, TReply}.IsAlwaysTaken"/>.</summary>
    Refusal? Closed { get; }

    /// <summary>Turns what a call threw into what its caller may know; null for a defect, which the caller gets as it is.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="isChange">Whether something may have been changed.</param>
    /// <param name="requestId">What to repeat; null where the verb takes no request id.</param>
    Refusal? Explain(Exception error, bool isChange, string? requestId);

    /// <summary>Has the calls from now on carry a span, as far as they leave this process. It is current already.</summary>
    void Carry(Activity span)
    {
    }

    /// <summary>See <see cref="IUndeliveredGrants"/>.</summary>
    Task<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant);

    Task<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken);

    Task<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken);
}
