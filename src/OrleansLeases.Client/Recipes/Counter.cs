using System.Globalization;

namespace OrleansLeases.Client.Recipes;

/// <summary>A 64-bit counter that many processes add to. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: an addition is applied once, however often its request is repeated, also by another process with
/// its request id; an acknowledged addition is not lost.</para>
/// <para>Not guaranteed: recognition of a request id after 1,024 further changes of the key; that nothing was added where the
/// call was cancelled or ended in <see cref="Refusal.OutcomeUnknown"/>. Repeat it with its request id to find out.</para>
/// </remarks>
/// <param name="client">The client whose service is called. No lease is held.</param>
/// <param name="key">The key: 1 to 512 bytes of UTF-8, a path such as <c>jobs/done</c>.</param>
/// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="key"/> is null.</exception>
public sealed class Counter(LeaseClient client, string key) : ICounter
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _key = key ?? throw new ArgumentNullException(nameof(key));

    /// <inheritdoc/>
    public async ValueTask<long> AddAsync(long delta = 1, string? requestId = null, CancellationToken cancellationToken = default)
    {
        var request = new AddToCounterRequest { Delta = delta, RequestId = requestId ?? RequestIds.New() };
        var added = await Retry.MakeAsync(
            _client, stop => _client.Service.AddToCounterAsync(_key, request, stop), cancellationToken).ConfigureAwait(false);
        return added.TryGetValue(out var counter, out var refusal) ? counter.Value : throw new LeaseRefusedException(refusal);
    }

    /// <inheritdoc/>
    public async ValueTask<long> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = await Retry.ReadKeyAsync(_client, _key, cancellationToken).ConfigureAwait(false);
        if (read is null) return 0;
        return long.TryParse(read.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new FormatException($"The value of '{_key}' is no 64-bit number; a counter needs a key of its own.");
    }
}
