namespace RateLimit;

/// <summary>Somebody else's API, which takes three calls at once and answers the others with 429.</summary>
internal sealed class LimitedApi
{
    public const int Limit = 3;

    private readonly Lock _gate = new();
    private int _now;

    public int Answered { get; private set; }

    public int Refused { get; private set; }

    public int MostAtOnce { get; private set; }

    public async Task CallAsync(CancellationToken stop)
    {
        lock (_gate)
        {
            if (_now == Limit)
            {
                Refused++;
                return;
            }

            MostAtOnce = Math.Max(MostAtOnce, ++_now);
        }

        await Task.Delay(TimeSpan.FromSeconds(0.1), TimeProvider.System, stop);
        lock (_gate) (_now, Answered) = (_now - 1, Answered + 1);
    }
}
