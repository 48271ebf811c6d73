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
public sealed class Counter(LeaseClient client, string key)
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _key = key ?? throw new ArgumentNullException(nameof(key));

    /// <summary>Adds; retries for 30 s where the service cannot be reached or the outcome is unknown.</summary>
    /// <param name="delta">What to add: any 64-bit integer; 1 by default.</param>
    /// <param name="requestId">
    /// 1 to 128 bytes of UTF-8 that identify this addition, such as the id of the message that caused it; a new one where left out.
    /// </param>
    /// <param name="cancellationToken">Ends the call. The addition may have been made.</param>
    /// <returns>The number after this addition; an absent key counts as 0.</returns>
    /// <exception cref="LeaseRefusedException">
    /// The key's value is no number or would overflow, the service did not respond, or the request is malformed or not allowed.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<long> AddAsync(long delta = 1, string? requestId = null, CancellationToken cancellationToken = default)
    {
        var request = new AddToCounterRequest { Delta = delta, RequestId = requestId ?? RequestIds.New() };
        var added = await Retry.MakeAsync(
            _client, stop => _client.Service.AddToCounterAsync(_key, request, stop), cancellationToken).ConfigureAwait(false);
        return added.TryGetValue(out var counter, out var refusal) ? counter.Value : throw new LeaseRefusedException(refusal);
    }

    /// <summary>Reads the number.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The number; 0 where there is no such key.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
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
