using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;

namespace OrleansLeases.Hosting.Scheduling;

/// <summary>The last tick of a job that an instance started, or took to skip. Immutable; stored as JSON.</summary>
/// <param name="Tick">The tick.</param>
/// <param name="Take">Which attempt took it: no two have the same.</param>
/// <param name="Owner">Who took it, for people.</param>
/// <param name="Token">The token of the lease that it was taken under; 0 where a job began.</param>
internal sealed record JobMark(DateTimeOffset Tick, string Take, string Owner, long Token);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(JobMark))]
internal sealed partial class JobMarkJson : JsonSerializerContext;

/// <summary>The mark of a job: a free-standing key, which only a compare-and-swap moves on.</summary>
internal sealed class JobMarkStore(LeaseClient client, string key)
{
    /// <summary>Reads the mark, and its version; null and 0 where there is none.</summary>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or refused.</exception>
    /// <exception cref="InvalidDataException">The key has another content.</exception>
    public async Task<(JobMark? Mark, long Version)> ReadAsync(CancellationToken cancellationToken)
    {
        if (await Retry.ReadKeyAsync(client, key, cancellationToken).ConfigureAwait(false) is not { } value) return (null, 0);
        try
        {
            return (JsonSerializer.Deserialize(value.Value, JobMarkJson.Default.JobMark), value.Version);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(
                $"The key '{key}' has a value that is no mark of a job: {error.Message} Delete it, or name another resource.");
        }
    }

    /// <summary>Writes the mark over a version of it, once, however often the call has to be repeated.</summary>
    /// <returns>The version it has now; null where the mark has another version.</returns>
    /// <exception cref="LeaseRefusedException">The service refused, or did not say for 30 s what came of it.</exception>
    public async Task<long?> WriteAsync(JobMark mark, long ifVersion, CancellationToken cancellationToken)
    {
        var request = new PutKeyRequest
        {
            Value = JsonSerializer.Serialize(mark, JobMarkJson.Default.JobMark), IfVersion = ifVersion, RequestId = RequestIds.New(),
        };
        var put = await Retry.MakeAsync(
            client, stop => client.Service.PutKeyAsync(key, request, stop), cancellationToken).ConfigureAwait(false);
        if (put.TryGetValue(out var written, out var refusal)) return written.Version;
        return refusal is Refusal.Conflict ? null : throw new LeaseRefusedException(refusal);
    }
}
