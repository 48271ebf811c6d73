namespace OrleansLeases.Cli.Overview;

/// <summary>Where the frames of <c>leases top</c> come from: listings, and one watch that counts what happens between them.</summary>
internal sealed class TopSource
{
    private readonly ILeaseService _service;
    private readonly string? _prefix;
    private readonly TimeProvider _time;
    private readonly ChangeRates _rates;
    private HeldNames _held;

    private TopSource(ILeaseService service, string? prefix, TimeProvider time, HeldNames held) =>
        (_service, _prefix, _time, _held, _rates) = (service, prefix, time, held, new ChangeRates(time));

    /// <summary>Starts to watch, and lists what is held.</summary>
    public static async Task<LeaseResult<TopSource>> StartAsync(
        ILeaseService service, string? prefix, TimeProvider time, CancellationToken cancellationToken)
    {
        var watched = await service.WatchAsync(new WatchRequest { Prefix = prefix ?? "" }, cancellationToken);
        if (!watched.TryGetValue(out var watch, out var refusal)) return refusal;
        var read = await HeldNames.ReadAsync(service, prefix, cancellationToken);
        if (!read.TryGetValue(out var held, out refusal))
        {
            watch.Dispose();
            return refusal;
        }

        var source = new TopSource(service, prefix, time, held);
        _ = source.CountAsync(watch, cancellationToken);
        return source;
    }

    /// <summary>The frame of what is known.</summary>
    public TopFrame Current => new(_time.GetUtcNow(), _held, _rates.Read());

    /// <summary>Lists again. Without an answer the frame is the one before, and says so.</summary>
    public async Task<TopFrame> NextAsync(CancellationToken cancellationToken)
    {
        var read = await HeldNames.ReadAsync(_service, _prefix, cancellationToken);
        if (read.Refusal is { } refusal) return Current with { Trouble = $"not up to date: {refusal.Detail}" };
        _held = read.Value;
        return Current;
    }

    private async Task CountAsync(LeaseWatch watch, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var watchEvent in watch.WithCancellation(cancellationToken)) _rates.Count(watchEvent);
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException)
        {
            // It is over, or the caller's rights are: then the listings say so.
        }
    }
}
