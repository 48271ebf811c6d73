using OrleansLeases.Client.Telemetry;

namespace OrleansLeases.Client.Internal;

/// <summary>How long a call may take.</summary>
/// <param name="Call">All of it, beyond the wait it asks for; or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
/// <param name="Server">The limit for one server, beyond the wait, where another could be tried.</param>
internal readonly record struct CallLimits(TimeSpan Call, TimeSpan Server);

/// <summary>One attempt at a call, at one server.</summary>
/// <param name="Server">The server.</param>
/// <param name="After">How long after the call began.</param>
/// <param name="Limit">How long the attempt may take; or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
/// <param name="Stop">Ends the attempt: its time is over, or the caller has given up.</param>
internal readonly record struct ServerAttempt(Server Server, TimeSpan After, TimeSpan Limit, CancellationToken Stop);

/// <summary>What an attempt came to.</summary>
internal enum AttemptStatus
{
    /// <summary>The server answered, as the contract says.</summary>
    Answered,

    /// <summary>It could not be reached, the connection broke, or what came was something else.</summary>
    Failed,

    /// <summary>Time ran out.</summary>
    Silent,

    /// <summary>The caller had no credential to make it with, which says nothing of the server.</summary>
    NotMade,
}

/// <summary>What an attempt came to, and the result of the call if it ends with this attempt.</summary>
internal readonly record struct AttemptResult<T>(AttemptStatus Status, LeaseResult<T> Result)
    where T : class;

/// <summary>
/// Makes a call at one server after the other, at each of them once at most and without a pause, until one has answered it. To
/// make it again after that is its caller's to decide. Thread-safe.
/// </summary>
internal sealed class FailOver(ServerList servers, TimeProvider time)
{
    // The longest timer there is.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(49);

    // A holder sends the next renewal after a fifth of the ttl. By then a server that has died without a word must be
    // known as such; to ask another one too early costs nothing. Decision silent-servers-are-spared.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMilliseconds(250);

    /// <summary>Counts the attempts.</summary>
    public ClientMetrics Metrics { get; set; } = ClientMetrics.Of(factory: null);

    /// <summary>Is told that calls go to another server from now on, and which one they went to before.</summary>
    public Action<Uri, Uri>? Changed { get; set; }

    /// <summary>Makes a call.</summary>
    /// <param name="ask">One attempt at it. The response of an attempt that is over is not waited for any more, and never used.</param>
    /// <param name="wait">How long the service may wait before it answers.</param>
    /// <param name="repeatable">Whether a second attempt does no harm where the first one may have been carried out.</param>
    /// <param name="limits">How long it may take.</param>
    /// <param name="cancellationToken">Gives up the call.</param>
    public async ValueTask<LeaseResult<T>> AskAsync<T>(
        Func<ServerAttempt, ValueTask<AttemptResult<T>>> ask, TimeSpan wait, bool repeatable, CallLimits limits,
        CancellationToken cancellationToken)
        where T : class
    {
        var begun = servers.Now;
        var tried = new List<Server>(1);
        List<string>? troubles = null;
        var answered = false;
        Refusal? unknown = null;
        Refusal? last = null;
        while (servers.Next(tried, alsoResting: !answered) is { } server)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var after = tried.Count == 0 ? TimeSpan.Zero : servers.Now - begun;
            var waitLeft = wait > after ? wait - after : TimeSpan.Zero;
            var left = limits.Call == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : limits.Call + wait - after;
            if (left <= TimeSpan.Zero) break;
            tried.Add(server);
            var hasSuccessor = repeatable && servers.Count > 1 && servers.Next(tried, alsoResting: false) is not null;
            if (hasSuccessor && limits.Server + waitLeft < left) left = limits.Server + waitLeft;

            var attempt = await AttemptAsync(ask, server, begun + after, after, left, waitLeft, cancellationToken).ConfigureAwait(false);
            if (attempt.Result.Refusal is not { } refusal) return attempt.Result;
            if (!ChangeOutcome.IsUnsettled(refusal, afterUnknown: unknown is not null)) return attempt.Result;
            answered |= attempt.Status == AttemptStatus.Answered;
            (troubles ??= []).Add(refusal.Detail);
            last = refusal;
            if (refusal is Refusal.OutcomeUnknown) unknown ??= refusal;
            if (attempt.Status == AttemptStatus.NotMade) break;
            if (unknown is not null && !repeatable) break;
        }

        // Whatever the last server said: an earlier one may have carried it out. Decision unknown-stays-unknown.
        return (unknown ?? last)! with { Detail = string.Join(' ', troubles!) };
    }

    private async ValueTask<AttemptResult<T>> AttemptAsync<T>(
        Func<ServerAttempt, ValueTask<AttemptResult<T>>> ask, Server server, TimeSpan sentAt, TimeSpan after, TimeSpan limit, TimeSpan wait,
        CancellationToken cancellationToken)
        where T : class
    {
        if (limit > Longest) limit = Timeout.InfiniteTimeSpan;
        // The caller's token and the time end one source; a second, linked to both, is dear. Decision one-source-an-attempt.
        using var stop = new CancellationTokenSource(limit, time);
        using var givenUp = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), stop);
        using var doubt = DoubtAfter(server, sentAt, wait + LongestSilence);
        AttemptResult<T> attempt;
        try
        {
            attempt = await ask(new(server, after, limit, stop.Token)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The caller's timeout may be shorter than this one, call after call.
            if (servers.Now - sentAt >= wait + LongestSilence) servers.Silent(server, sentAt);
            Metrics.Attempted(server.Tags, "given-up");
            throw;
        }

        if (attempt.Status == AttemptStatus.NotMade) return attempt;
        Metrics.Attempted(server.Tags, WordOf(attempt.Status));
        if (attempt.Status == AttemptStatus.Silent) servers.Silent(server, sentAt);
        else if (attempt.Result.Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown) servers.Failed(server, attempt.Result.Refusal);
        else if (servers.Answered(server) is { } former) Changed?.Invoke(server.Root, former.Root);
        return attempt;
    }

    private static string WordOf(AttemptStatus status) => status switch
    {
        AttemptStatus.Answered => "answered",
        AttemptStatus.Silent => "silent",
        _ => "failed",
    };

    /// <summary>This call waits on; those that come after it do better to ask another server.</summary>
    private ITimer? DoubtAfter(Server server, TimeSpan sentAt, TimeSpan silence) => servers.Count == 1
        ? null
        : time.CreateTimer(
            _ => servers.Silent(server, sentAt), null, silence < Longest ? silence : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
}
