namespace OrleansLeases.Client.Recipes;

/// <summary>Another caller failed to fill a cache entry, in this process or in another.</summary>
/// <param name="message">The message of the exception that it failed with.</param>
public sealed class CacheFillException(string message) : Exception(message);

/// <summary>A cache entry that one caller fills where it is missing, while the others wait for its value. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: no two fillers' leases on the entry are valid at once. A caller that comes while another fills receives
/// its value, or its failure; a caller that comes after a failure fills again. Where a filler dies or loses its lease, a waiting
/// caller fills. The value of a filler is stored only if its lease is still in force, and the entry was not removed since it
/// started; its own caller receives the value in any case.</para>
/// <para>Not guaranteed: that it is filled only once: a filler may die just before its value is stored. An entry has no time to
/// live; it stays until <see cref="InvalidateAsync"/>, however long that is.</para>
/// </remarks>
/// <param name="client">The client that renews the lease.</param>
/// <param name="entry">The entry's name, as a resource and as a key: 1 to 512 bytes of UTF-8, a path such as <c>prices/2030-01</c>.</param>
/// <param name="options">
/// The options of the filler's lease; 30 s where left out. Its mode and capacity are ignored, and there is no lock-delay or hold-at-least.
/// </param>
/// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="entry"/> is null.</exception>
public sealed class CacheFill(LeaseClient client, string entry, LeaseOptions? options = null) : ICacheFill
{
    private const char Value = '+';
    private const char Failure = '-';
    private const int LongestFailure = 1_000;

    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _entry = entry ?? throw new ArgumentNullException(nameof(entry));

    // The end of a delay notifies no waiter, and the value of a filler that comes too late is not kept anyhow.
    private readonly LeaseOptions _options =
        (options ?? new()) with
        {
            Mode = LeaseMode.Exclusive, Capacity = null, LockDelay = TimeSpan.Zero, HoldAtLeast = TimeSpan.Zero,
        };

    /// <inheritdoc/>
    public async Task<string> GetOrFillAsync(Func<CancellationToken, Task<string>> fill, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(fill);
        fill = CallerContext.Bind(fill);
        var known = await ReadAsync(cancellationToken).ConfigureAwait(false);
        if (known is { Value: { } there }) return there;
        while (true)
        {
            var lease =
                await _client.TryAcquireAsync(_entry, options: _options, cancellationToken: cancellationToken).ConfigureAwait(false);
            if (lease is not null)
            {
                return await GuardedWork.UnderAsync(
                    lease, (held, stop) => FillAsync(held, known, fill, stop), cancellationToken).ConfigureAwait(false);
            }

            await EndOfFillingAsync(cancellationToken).ConfigureAwait(false);
            if (OutcomeSince(known, await ReadAsync(cancellationToken).ConfigureAwait(false)) is { } value) return value;
        }
    }

    /// <inheritdoc/>
    public async ValueTask InvalidateAsync(CancellationToken cancellationToken = default)
    {
        var deleted = await Retry.MakeAsync(
            _client, stop => _client.Service.DeleteKeyAsync(_entry, cancellationToken: stop), cancellationToken).ConfigureAwait(false);
        if (deleted.Refusal is { } refusal) throw new LeaseRefusedException(refusal);
    }

    private async Task<string> FillAsync(LeaseHandle lease, Entry known, Func<CancellationToken, Task<string>> fill, CancellationToken stop)
    {
        var now = await ReadAsync(stop).ConfigureAwait(false);
        if (OutcomeSince(known, now) is { } outcome) return outcome;
        var claim = await SettledKey.ClaimAsync(_client, lease, _entry, now.Version).ConfigureAwait(false);
        string value;
        try
        {
            value = await fill(stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            if (claim is { } own) await TellFailureAsync(lease, failure, own).ConfigureAwait(false);
            throw;
        }

        // Where the entry was removed meanwhile, this value may be out of date: its caller gets it, and it is not kept.
        if (claim is { } version) await SettledKey.SettleAsync(_client, lease, _entry, Value + value, version).ConfigureAwait(false);
        return value;
    }

    /// <summary>Notifies the waiters; if that fails, they fill by themselves.</summary>
    private async Task TellFailureAsync(LeaseHandle lease, Exception failure, long claim)
    {
        var text = failure.Message.Length <= LongestFailure ? failure.Message : failure.Message[..LongestFailure];
        try
        {
            await SettledKey.SettleAsync(_client, lease, _entry, Failure + text, claim).ConfigureAwait(false);
        }
        catch (Exception untold) when (untold is LeaseLostException or LeaseRefusedException or OperationCanceledException)
        {
            // The failure itself is what the caller gets to see.
        }
    }

    private async Task<Entry> ReadAsync(CancellationToken cancellationToken) =>
        await SettledKey.ReadAsync(_client, _entry, cancellationToken).ConfigureAwait(false) is { Value: [var kind, .. var text],
            Version: var version }
            ? new(version, kind == Value ? text : null, kind == Value ? null : text)
            : default;

    /// <summary>The outcome of a filling that ended after this caller came; null where none did.</summary>
    private static string? OutcomeSince(Entry known, Entry now)
    {
        if (now.Failure is { } failure && now.Version > known.Version) throw new CacheFillException(failure);
        return now.Value;
    }

    private async Task EndOfFillingAsync(CancellationToken cancellationToken)
    {
        var started = await Retry.MakeAsync(
            _client, stop => _client.Service.WatchAsync(new() { Resource = _entry }, stop), cancellationToken).ConfigureAwait(false);
        if (!started.TryGetValue(out var watch, out var refusal)) throw new LeaseRefusedException(refusal);
        await using var _ = ((IAsyncDisposable)watch).ConfigureAwait(false);
        await foreach (var happened in watch.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            switch (happened)
            {
                case WatchEvent.LeaseSnapshot { Lease.Holders.Count: 0 }:
                case WatchEvent.LeaseChanged { Lease.Kind: not (LeaseEventKind.Granted or LeaseEventKind.Breaking) }:
                    return;
            }
        }
    }

    private readonly record struct Entry(long Version, string? Value, string? Failure);
}
