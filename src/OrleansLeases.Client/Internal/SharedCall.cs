using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Client.Internal;

/// <summary>A call that waits for others to go with, and then for its part of their response. Thread-safe.</summary>
internal abstract class SharedCall(byte[] operation)
{
    private int _stage = (int)Stage.Gathered;
    private SharedRequest? _request;

    private enum Stage
    {
        Gathered,
        Sent,
        Over,
        Left,
        GivenUp,
    }

    /// <summary>The span that it is part of, if there is one.</summary>
    public Activity? Caller { get; } = LeaseTracing.IsOn ? Activity.Current : null;

    /// <summary>Its operation of a batch.</summary>
    public byte[] Operation => operation;

    /// <summary>Takes it into a request.</summary>
    /// <returns>False where its caller has left.</returns>
    public bool TrySend(SharedRequest request)
    {
        _request = request;
        request.Enter();
        if (Interlocked.CompareExchange(ref _stage, (int)Stage.Sent, (int)Stage.Gathered) == (int)Stage.Gathered) return true;
        request.Leave();
        return false;
    }

    /// <summary>Lets it go by itself.</summary>
    /// <returns>False where its caller has left.</returns>
    public abstract bool TryGoAlone();

    /// <summary>Its part of the response.</summary>
    public abstract void Take(HttpAnswer answer);

    /// <summary>The request was not answered.</summary>
    /// <param name="message">The request.</param>
    /// <param name="error">What was thrown instead.</param>
    public abstract void Fail(HttpRequestMessage message, Exception error);

    /// <summary>Marks it as over, unless its caller has left.</summary>
    /// <param name="givenUp">Its caller has left because it gave the call up.</param>
    protected bool TryEnd(out bool givenUp)
    {
        var stage = Interlocked.CompareExchange(ref _stage, (int)Stage.Over, (int)Stage.Sent);
        givenUp = stage == (int)Stage.GivenUp;
        return stage == (int)Stage.Sent;
    }

    /// <summary>Its caller waits no more.</summary>
    /// <param name="givesUp">It gives the call up, and not only this attempt at it.</param>
    /// <param name="unsent">It was in no request yet, and will be in none.</param>
    /// <returns>False where the call is over, or is so at once.</returns>
    protected bool TryLeave(bool givesUp, out bool unsent)
    {
        var left = (int)(givesUp ? Stage.GivenUp : Stage.Left);
        unsent = Interlocked.CompareExchange(ref _stage, left, (int)Stage.Gathered) == (int)Stage.Gathered;
        if (unsent) return true;
        if (Interlocked.CompareExchange(ref _stage, left, (int)Stage.Sent) != (int)Stage.Sent) return false;
        _request!.Leave();
        return true;
    }
}

/// <inheritdoc cref="SharedCall"/>
/// <param name="call">The call.</param>
/// <param name="attempt">The attempt at it.</param>
internal sealed class SharedCall<T>(HttpCall<T> call, ServerAttempt attempt) : SharedCall(call.Operation!())
    where T : class
{
    private readonly TaskCompletionSource<AttemptResult<T>?> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What came of it; null where it has to go by itself, which its gathering counts as begun.</summary>
    /// <param name="cancellationToken">Gives up the call.</param>
    public async ValueTask<AttemptResult<T>?> ResultAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _result.Task.WaitAsync(attempt.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (attempt.Stop.IsCancellationRequested)
        {
            var givesUp = cancellationToken.IsCancellationRequested;
            if (!TryLeave(givesUp, out var unsent)) return await _result.Task.ConfigureAwait(false);
            if (givesUp) throw new OperationCanceledException(cancellationToken);
            return HttpAnswers.Late(call, attempt, unsent);
        }
    }

    /// <inheritdoc/>
    public override bool TryGoAlone()
    {
        var goes = TryEnd(out _);
        if (goes) _result.SetResult(null);
        return goes;
    }

    /// <inheritdoc/>
    public override void Take(HttpAnswer answer)
    {
        var outcome = HttpAnswers.Read(call, attempt, answer);
        if (TryEnd(out var givenUp)) _result.SetResult(outcome);
        else if (givenUp && outcome.Result.TryGetValue(out var reply, out _)) call.GiveBack?.Invoke(reply);
    }

    /// <inheritdoc/>
    public override void Fail(HttpRequestMessage message, Exception error)
    {
        if (!TryEnd(out _)) return;
        if (error is ObjectDisposedException) _result.SetException(error);
        else _result.SetResult(HttpAnswers.Unanswered(call, attempt, message, error));
    }
}

/// <summary>A request that calls share: it ends once nobody waits for any of them. Thread-safe.</summary>
[SuppressMessage("Design", "CA1001", Justification = "It has no timer, and calls leave it at any time.")]
internal sealed class SharedRequest
{
    private readonly CancellationTokenSource _stop = new();

    // The sender counts as one.
    private int _waiting = 1;

    /// <summary>Nobody waits any more.</summary>
    public CancellationToken Stop => _stop.Token;

    public List<SharedCall> Calls { get; } = [];

    public void Enter() => Interlocked.Increment(ref _waiting);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _waiting) == 0) _stop.Cancel();
    }
}
