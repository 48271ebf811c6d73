using System.Globalization;

namespace OrleansLeases.Client.Recipes;

/// <summary>A 64-bit number that many add to. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: an addition is made once, however often its call had to be repeated, also by another process that has
/// its request id; what was acknowledged is not lost.</para>
/// <para>Not guaranteed: recognition of a request id after 1,024 further changes of the key; that it was not added where the
/// call was given up or ended in <see cref="Refusal.OutcomeUnknown"/>. Repeat it with its request id to find out.</para>
/// </remarks>
/// <param name="client">Whose service is asked. No lease is held.</param>
/// <param name="key">The key: 1 to 512 bytes of UTF-8, a path such as <c>jobs/done</c>.</param>
/// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="key"/> is null.</exception>
public sealed class Counter(LeaseClient client, string key)
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _key = key ?? throw new ArgumentNullException(nameof(key));

    /// <summary>Adds, and tries for 30 s where the service cannot be reached or does not say what became of it.</summary>
    /// <param name="delta">How much; it may be negative.</param>
    /// <param name="requestId">
    /// 1 to 128 bytes that name this addition, such as the id of the message that caused it; a new one where left out.
    /// </param>
    /// <param name="cancellationToken">Gives up. The addition may have been made.</param>
    /// <returns>What this addition made of the number; an absent key counts as 0.</returns>
    /// <exception cref="LeaseRefusedException">
    /// The key's value is no number or would overflow, the service did not answer, or the request is malformed or not allowed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<long> AddAsync(long delta = 1, string? requestId = null, CancellationToken cancellationToken = default)
    {
        var request = new AddToCounterRequest { Delta = delta, RequestId = requestId ?? RequestIds.New() };
        var added = await Retry.MakeAsync(
            _client.Time, stop => _client.Service.AddToCounterAsync(_key, request, stop), cancellationToken).ConfigureAwait(false);
        return added.TryGetValue(out var counter, out var refusal) ? counter.Value : throw new LeaseRefusedException(refusal);
    }

    /// <summary>Reads the number.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The number; 0 where there is no such key.</returns>
    /// <exception cref="LeaseRefusedException">The service did not answer for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="FormatException">The key's value is no number.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<long> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = await Retry.ReadKeyAsync(_client, _key, cancellationToken).ConfigureAwait(false);
        if (read is null) return 0;
        return long.TryParse(read.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new FormatException($"The value of '{_key}' is no 64-bit number; a counter needs a key of its own.");
    }
}
