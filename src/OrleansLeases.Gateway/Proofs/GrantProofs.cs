using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Gateway.Proofs;

/// <summary>
/// Signs proofs of grants and publishes the keys that check them. The keys are known by every server of a store, which reads them again
/// now and then. Thread-safe.
/// </summary>
/// <param name="records">Where the keys are stored; null where there is no place for them, and so no proofs.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Receives what goes wrong.</param>
internal sealed partial class GrantProofs(IServiceRecords? records, TimeProvider time, ILogger<GrantProofs> logger)
{
    private const string Record = "proof-keys";
    // Far less than a key is published ahead of its use, and soon enough for one that was retired before its time.
    private static readonly TimeSpan ReadEvery = TimeSpan.FromMinutes(1);

    // Anybody may ask for the keys: while the store is away, a flood must neither load it nor fill the log.
    private static readonly TimeSpan RetryEvery = TimeSpan.FromSeconds(1);

    private static readonly Refusal Unavailable = new Refusal.Unavailable(
        TimeSpan.FromSeconds(1), "The keys of the proofs cannot be read; the log says why. Ask again, or without a proof.");

    private readonly Lock _gate = new();
    private volatile Known? _known;
    private volatile Failure? _failure;
    private Task<LeaseResult<ProofKeys>>? _reading;

    /// <summary>Maps where the keys are published, if there is a place for them: an empty set would be taken for all.</summary>
    public static void Map(IEndpointRouteBuilder endpoints, GrantProofs proofs)
    {
        if (!proofs.HasKeys) return;
        var folder = LeaseProof.KeysPath.LastIndexOf('/') + 1;
        var path = OwnSegment.Of("/" + LeaseProof.KeysPath[..folder], LeaseProof.KeysPath[folder..]);
        // They are public, and a fence is no user of the host. Decision proof-keys-need-no-login.
        endpoints.Map(path, proofs.PublishAsync)
            .WithMetadata(OpenToAll.Instance, new HttpMethodMetadata([HttpMethods.Get]))
            .AllowAnonymous();
        endpoints.MapOtherMethods(path, _ => "GET");
    }

    /// <summary>The keys, made where there are none; or why there are none.</summary>
    public async ValueTask<LeaseResult<ProofKeys>> KeysAsync(CancellationToken cancellationToken)
    {
        if (records is null)
        {
            const string Detail = "This server makes no proofs: it has no place for their keys. Leave proof out.";
            return new Refusal.InvalidRequest(new Dictionary<string, string[]> { ["proof"] = [Detail] }, Detail);
        }

        if (_known is { } known && time.GetElapsedTime(known.At) < ReadEvery) return known.Keys;
        if (_failure is { } failure && time.GetElapsedTime(failure.At) < RetryEvery) return KnownOrNone;
        Task<LeaseResult<ProofKeys>> reading;
        lock (_gate)
        {
            // One at a time, for all that wait, and to its end: its first caller may hang up.
            if (_reading is not { IsCompleted: false }) _reading = Task.Run(() => ReadAsync(records));
            reading = _reading;
        }

        return await reading.WaitAsync(cancellationToken);
    }

    private bool HasKeys => records is not null;

    // The keys that are known stay published for long, also where another server has added one meanwhile.
    private LeaseResult<ProofKeys> KnownOrNone => _known is { } known ? known.Keys : Unavailable;

    /// <summary>The proof of a grant.</summary>
    public string Sign(ProofKeys keys, LeaseGrant grant)
    {
        var now = time.GetUtcNow();
        var key = keys.Signing(now);
        var text = new StringBuilder(512);
        Append(text, json =>
        {
            json.WriteString("alg"u8, LeaseProof.Algorithm);
            json.WriteString("kid"u8, key.Id);
            json.WriteString("typ"u8, LeaseProof.Type);
        });
        text.Append('.');
        Append(text, json =>
        {
            json.WriteString("resource"u8, grant.Resource);
            json.WriteString("owner"u8, grant.Owner);
            json.WriteNumber("token"u8, grant.Token);
            json.WriteString("service"u8, keys.Service);
            json.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
        });
        var signature = key.Sign(Encoding.ASCII.GetBytes(text.ToString()));
        return text.Append('.').Append(Base64Url.EncodeToString(signature)).ToString();
    }

    /// <summary>The name of the service; null where it has none, or it cannot be read now.</summary>
    public async ValueTask<string?> ServiceAsync(CancellationToken cancellationToken) =>
        records is not null && (await KeysAsync(cancellationToken)).TryGetValue(out var keys, out _) ? keys.Service : null;

    /// <summary>
    /// Has a new key sign from now on, and drops all others, which prove nothing any more. This server knows at once, the others within a
    /// minute.
    /// </summary>
    public async ValueTask<LeaseResult<RetiredProofKeys>> RetireAsync(CancellationToken cancellationToken)
    {
        if (records is null)
            return new Refusal.Forbidden("This server has no place for the keys of proofs, and makes none; ask one with the store.");
        while (true)
        {
            var record = await records.LoadAsync(Record, cancellationToken);
            var now = time.GetUtcNow();
            var stored = ProofKeys.Read(record.Value);
            var keys = stored?.Retire(now) ?? ProofKeys.Make(now);
            if (await records.TrySaveAsync(record, keys.Write(), cancellationToken) is null) continue;
            // One that is under way may have read what was there before, and must not have the last word.
            if (Volatile.Read(ref _reading) is { } reading) await reading;
            (_known, _failure) = (new(keys, time.GetTimestamp()), null);
            return new RetiredProofKeys { Retired = [.. stored?.Keys.Select(key => key.Id) ?? []], KeyId = keys.Keys[0].Id };
        }
    }

    private async Task PublishAsync(HttpContext context)
    {
        var buffer = new ArrayBufferWriter<byte>();
        if (!(await KeysAsync(context.RequestAborted)).TryGetValue(out var keys, out var refusal))
        {
            await ResponseWriter.RefuseAsync(context, refusal);
            return;
        }

        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("keys"u8);
            foreach (var key in keys.Keys) key.WritePublic(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        context.Response.Headers.CacheControl = "public, max-age=60";
        await ResponseWriter.WriteAsync(context, buffer.WrittenMemory);
    }

    private async Task<LeaseResult<ProofKeys>> ReadAsync(IServiceRecords from)
    {
        try
        {
            var keys = await StoredAsync(from);
            (_known, _failure) = (new(keys, time.GetTimestamp()), null);
            return keys;
        }
        catch (Exception error)
        {
            if (_failure is null) LogUnreadable(logger, error);
            _failure = new(time.GetTimestamp());
            return KnownOrNone;
        }
    }

    private async Task<ProofKeys> StoredAsync(IServiceRecords from)
    {
        while (true)
        {
            var record = await from.LoadAsync(Record);
            var now = time.GetUtcNow();
            var stored = ProofKeys.Read(record.Value);
            var keys = (stored ?? ProofKeys.Make(now)).At(now);
            // What another server has stored first is what both use.
            if (ReferenceEquals(keys, stored) || await from.TrySaveAsync(record, keys.Write()) is not null) return keys;
        }
    }

    private static void Append(StringBuilder text, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        text.Append(Base64Url.EncodeToString(buffer.WrittenSpan));
    }

    [LoggerMessage(1, LogLevel.Error, "The keys of the proofs cannot be read.")]
    private static partial void LogUnreadable(ILogger logger, Exception error);

    private sealed record Known(ProofKeys Keys, long At);

    private sealed record Failure(long At);
}
