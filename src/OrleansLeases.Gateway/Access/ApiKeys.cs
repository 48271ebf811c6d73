using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Access;

/// <summary>
/// The API keys of a service. Each process knows them all and reads them again every two seconds, so that a call costs a hash and a
/// look-up. While the store cannot be read, those that were known stay valid: renewals must not fail with it. Thread-safe.
/// </summary>
/// <param name="records">Where they are stored.</param>
/// <param name="rightsOf">What a principal may do now.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Receives what goes wrong.</param>
internal sealed partial class ApiKeys(
    IServiceRecords records, Func<string, AccessRights> rightsOf, TimeProvider time, ILogger<ApiKeys> logger)
{
    /// <summary>The most keys there are: each process keeps all in memory, and reads them again and again.</summary>
    public const int Most = 10_000;

    private const string Folder = "api-keys/";

    // Of ids that are not known, so many are looked up in the store between two readings of them all: made-up ones must not load it.
    private const int LookupsBetween = 20;

    private static readonly TimeSpan NoteUseEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);
    private int _lookups;
    private bool _failing;

    /// <summary>Finds the caller that a credential is for.</summary>
    /// <param name="hash">The hash of the credential, which has the form of an API key.</param>
    /// <param name="id">Its id.</param>
    /// <returns>The caller; null where there is no such key, or it is another's or valid no longer.</returns>
    public ValueTask<LeaseCaller?> FindAsync(ReadOnlySpan<byte> hash, ReadOnlySpan<char> id) =>
        _known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(id, out var known)
            ? new(known.CallerOf(hash, time.GetUtcNow()))
            : LookUpAsync(id.ToString(), hash.ToArray());

    public bool IsFull => _known.Count >= Most;

    public async ValueTask<CreatedApiKey> CreateAsync(CreateApiKeyRequest request, CancellationToken cancellationToken)
    {
        var (id, token) = ApiKeyText.New();
        var now = time.GetUtcNow();
        var hash = new byte[SHA256.HashSizeInBytes];
        ApiKeyText.Hash(token, hash);
        var key = new StoredApiKey
        {
            Name = request.Name, Principal = request.Principal, Hash = hash, Created = now, Expires = now + request.ExpiresIn,
        };
        var record = await records.TrySaveAsync(await records.LoadAsync(Folder + id, cancellationToken), key.Write(), cancellationToken)
            ?? throw new IOException("Another key was made with the same id; make it again.");
        Know(id, record, key);
        return new()
        {
            Id = id, Name = key.Name, Principal = key.Principal, Created = key.Created, Expires = key.Expires, Token = token,
        };
    }

    public async ValueTask<ApiKeyList> ListAsync(CancellationToken cancellationToken)
    {
        var keys = from record in await records.ListAsync(Folder, cancellationToken)
                   let key = Read(record)
                   where key is not null
                   orderby key.Name, record.Name
                   select key.ToInfo(IdOf(record));
        return new() { Tokens = [.. keys] };
    }

    public async ValueTask<RevokedApiKey> RevokeAsync(string id, CancellationToken cancellationToken)
    {
        var existed = false;
        ServiceRecord? deleted = null;
        while (deleted is null)
        {
            var record = await records.LoadAsync(Folder + id, cancellationToken);
            if (record.Value is null) break;
            existed = true;
            // Lost against a note of its last use, it is tried again.
            deleted = await records.TrySaveAsync(record, value: null, cancellationToken);
        }

        Forget(id);
        return new() { Id = id, Existed = existed };
    }

    /// <summary>Whether all keys were read once: before that, one that is not known may be valid all the same.</summary>
    public bool AreKnown { get; private set; }

    public bool Knows(ReadOnlySpan<char> id) => _known.GetAlternateLookup<ReadOnlySpan<char>>().ContainsKey(id);

    /// <summary>Reads all keys again.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = new HashSet<string>(StringComparer.Ordinal);
            foreach (var record in await records.ListAsync(Folder, cancellationToken))
            {
                if (Read(record) is not { } key) continue;
                found.Add(IdOf(record));
                Know(IdOf(record), record, key);
            }

            foreach (var id in _known.Keys.Where(id => !found.Contains(id)).ToArray()) await ForgetIfGoneAsync(id, cancellationToken);
            Interlocked.Exchange(ref _lookups, 0);
            _failing = false;
            AreKnown = true;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            if (!_failing) LogUnreadable(logger, error);
            _failing = true;
        }
    }

    /// <summary>Notes the last use of the keys that were used, as well as it can.</summary>
    public async Task NoteUsesAsync(CancellationToken cancellationToken)
    {
        foreach (var known in _known.Values)
        {
            if (known.LastUsed is not { } used || Read(known.Record) is not { } key || used < (key.LastUsed ?? key.Created) + NoteUseEvery)
                continue;
            try
            {
                // Lost against another server's note, it is as good.
                if (await records.TrySaveAsync(known.Record, (key with { LastUsed = used }).Write(), cancellationToken) is { } noted)
                    known.Record = noted;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // The reading of the keys says that the store is away.
                return;
            }
        }
    }

    private async ValueTask<LeaseCaller?> LookUpAsync(string id, byte[] hash)
    {
        if (Interlocked.Increment(ref _lookups) > LookupsBetween) return null;
        var record = await records.LoadAsync(Folder + id);
        return Read(record) is { } key ? Know(id, record, key).CallerOf(hash, time.GetUtcNow()) : null;
    }

    // A key that was made while all were being read is known and was not among them.
    private async Task ForgetIfGoneAsync(string id, CancellationToken cancellationToken)
    {
        if ((await records.LoadAsync(Folder + id, cancellationToken)).Value is null) Forget(id);
    }

    private Known Know(string id, ServiceRecord record, StoredApiKey key)
    {
        // What proves a key, and whom, never changes, so that its caller stays the same object.
        var known = _known.GetOrAdd(id, static (_, made) => new Known(made.key, made.rightsOf, made.time), (key, rightsOf, time));
        known.Record = record;
        return known;
    }

    private void Forget(string id)
    {
        if (_known.TryRemove(id, out var known)) known.IsRevoked = true;
    }


    private StoredApiKey? Read(ServiceRecord record)
    {
        try
        {
            return StoredApiKey.Read(record.Value);
        }
        catch (JsonException)
        {
            LogDamaged(logger, record.Name);
            return null;
        }
    }

    private static string IdOf(ServiceRecord record) => record.Name[Folder.Length..];

    [LoggerMessage(1, LogLevel.Error, "The API keys cannot be read; those that are known stay valid, and no others.")]
    private static partial void LogUnreadable(ILogger logger, Exception error);

    [LoggerMessage(2, LogLevel.Error, "The stored API key {Name} cannot be read, and is not valid.")]
    private static partial void LogDamaged(ILogger logger, string name);

    /// <summary>A key that this process knows.</summary>
    private sealed class Known
    {
        private readonly StoredApiKey _key;
        private readonly LeaseCaller _caller;
        private long _lastUsed;

        public Known(StoredApiKey key, Func<string, AccessRights> rightsOf, TimeProvider time)
        {
            _key = key;
            _caller = new LeaseCaller(
                key.Principal, () => IsRevoked || key.Expires <= time.GetUtcNow() ? AccessRights.None : rightsOf(key.Principal));
        }

        public bool IsRevoked { get; set; }

        public ServiceRecord Record { get; set; } = null!;

        public DateTimeOffset? LastUsed =>
            Volatile.Read(ref _lastUsed) is var ticks and > 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

        public LeaseCaller? CallerOf(ReadOnlySpan<byte> hash, DateTimeOffset now)
        {
            if (!CryptographicOperations.FixedTimeEquals(hash, _key.Hash) || IsRevoked || _key.Expires <= now) return null;
            Volatile.Write(ref _lastUsed, now.UtcTicks);
            return _caller;
        }
    }
}
