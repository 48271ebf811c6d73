using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>What becomes of a call.</summary>
internal abstract record Fate
{
    /// <summary>It is made, and answered at once.</summary>
    public static readonly Fate Passes = new Passing();

    /// <summary>It waits on the way until the test carries it; its answer waits, too.</summary>
    public static readonly Fate Waits = new Waiting();

    /// <summary>It is never made, and never answered: not even its cancellation is heeded.</summary>
    public static readonly Fate Hangs = new Hanging();

    /// <summary>It is never made, and refused.</summary>
    public static Fate Refused(Refusal refusal) => new Refusing(refusal);

    /// <summary>It is made, but its answer is lost.</summary>
    public static readonly Fate LosesAnswer = new Losing();

    public sealed record Passing : Fate;

    public sealed record Waiting : Fate;

    public sealed record Hanging : Fate;

    public sealed record Losing : Fate;

    public sealed record Refusing(Refusal Refusal) : Fate;
}

/// <summary>
/// The way between a client and its service. A test says what becomes of each call by its verb, and carries those that wait:
/// in any order, twice, or not at all. Thread-safe.
/// </summary>
internal sealed class Network(ILeaseService service) : ForwardingLeases(service)
{
    private readonly Lock _gate = new();
    private readonly List<Letter> _requests = [];
    private readonly List<Action> _answers = [];
    private readonly List<Letter> _open = [];
    private readonly List<(string Verb, object Request)> _sent = [];

    public Func<string, Fate> FateOf { get; set; } = _ => Fate.Passes;

    public int Requests
    {
        get
        {
            lock (_gate) return _requests.Count;
        }
    }

    public int Answers
    {
        get
        {
            lock (_gate) return _answers.Count;
        }
    }

    /// <summary>How many calls of a kind someone still waits for.</summary>
    public int OpenCalls(string verb)
    {
        lock (_gate)
        {
            _open.RemoveAll(letter => letter.IsDone);
            return _open.Count(letter => letter.Verb == verb);
        }
    }

    /// <summary>The requests of a kind that were sent so far.</summary>
    public IReadOnlyList<T> Sent<T>()
    {
        lock (_gate) return [.. _sent.Select(sent => sent.Request).OfType<T>()];
    }

    /// <summary>Makes a call that waits; its answer then waits.</summary>
    /// <param name="number">Which, counted round.</param>
    /// <param name="again">Leaves a copy behind, to be carried once more.</param>
    public async Task CarryRequestAsync(int number = 0, bool again = false)
    {
        Letter letter;
        lock (_gate)
        {
            if (_requests.Count == 0) return;
            letter = _requests[number % _requests.Count];
            if (!again) _requests.Remove(letter);
        }

        var answer = await letter.MakeAsync();
        lock (_gate) _answers.Add(answer);
    }

    /// <summary>Hands over an answer that waits.</summary>
    public void CarryAnswer(int number = 0)
    {
        if (TakeAnswer(number) is { } answer) answer();
    }

    /// <summary>Loses a call that waits: either nobody ever says so, or its caller is told that the outcome is not known.</summary>
    public void LoseRequest(int number, bool silently)
    {
        Letter letter;
        lock (_gate)
        {
            if (_requests.Count == 0) return;
            letter = _requests[number % _requests.Count];
            _requests.Remove(letter);
        }

        if (!silently) letter.Fail();
    }

    /// <summary>Loses an answer that waits; nobody ever says so.</summary>
    public void LoseAnswer(int number) => TakeAnswer(number);

    /// <summary>Carries all that waits, until nothing does.</summary>
    public async Task CarryAllAsync()
    {
        while (Requests + Answers > 0)
        {
            while (Requests > 0) await CarryRequestAsync();
            while (Answers > 0) CarryAnswer();
        }
    }

    public override ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
        AcquireRequest request, CancellationToken cancellationToken = default) =>
        SendAsync("acquire", request, stop => base.AcquireAsync(request, stop), cancellationToken);

    public override ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default) =>
        SendAsync("renew", request, stop => base.RenewBatchAsync(request, stop), cancellationToken);

    public override ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(
        ReleaseRequest request, CancellationToken cancellationToken = default) =>
        SendAsync("release", request, stop => base.ReleaseAsync(request, stop), cancellationToken);

    public override ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default) =>
        SendAsync("get", request, stop => base.GetAsync(request, stop), cancellationToken);

    private async ValueTask<LeaseResult<T>> SendAsync<T>(
        string verb, object request, Func<CancellationToken, ValueTask<LeaseResult<T>>> ask, CancellationToken cancellationToken)
        where T : class
    {
        switch (FateOf(verb))
        {
            case Fate.Passing:
                var answer = ask(cancellationToken);
                NoteSent(verb, request);
                return await answer;
            case Fate.Refusing refused:
                NoteSent(verb, request);
                return refused.Refusal;
            case Fate.Losing:
                var lost = ask(CancellationToken.None);
                NoteSent(verb, request);
                await lost;
                return new Refusal.OutcomeUnknown(null, "The answer was lost.");
            case var fate:
                NoteSent(verb, request);
                var letter = new Letter<T>(verb, ask, cancellationToken);
                lock (_gate)
                {
                    if (fate is Fate.Waiting) _requests.Add(letter);
                    _open.Add(letter);
                }

                return await (fate is Fate.Hanging ? letter.Answered : letter.Answered.WaitAsync(cancellationToken));
        }
    }

    // After the call was made: a test that has seen the request knows that the service has queued it.
    private void NoteSent(string verb, object request)
    {
        lock (_gate) _sent.Add((verb, request));
    }

    private Action? TakeAnswer(int number)
    {
        lock (_gate)
        {
            if (_answers.Count == 0) return null;
            var answer = _answers[number % _answers.Count];
            _answers.Remove(answer);
            return answer;
        }
    }

    private abstract class Letter(string verb)
    {
        public string Verb => verb;

        public abstract bool IsDone { get; }

        public abstract Task<Action> MakeAsync();

        public abstract void Fail();
    }

    private sealed class Letter<T>(
        string verb, Func<CancellationToken, ValueTask<LeaseResult<T>>> ask, CancellationToken given) : Letter(verb)
        where T : class
    {
        private readonly TaskCompletionSource<LeaseResult<T>> _answer = new();

        public override bool IsDone => _answer.Task.IsCompleted || given.IsCancellationRequested;

        public Task<LeaseResult<T>> Answered => _answer.Task;

        public override async Task<Action> MakeAsync()
        {
            var result = await ask(CancellationToken.None);
            return () => _answer.TrySetResult(result);
        }

        public override void Fail() => _answer.TrySetResult(new Refusal.OutcomeUnknown(null, "The connection was lost."));
    }
}
