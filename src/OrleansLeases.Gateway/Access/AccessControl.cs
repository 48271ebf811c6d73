using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace OrleansLeases.Gateway.Access;

/// <summary>Finds out who calls, by an API key, and what each may do, by the access file. Both are kept up to date. Thread-safe.</summary>
internal sealed class AccessControl : BackgroundService
{
    private const string Bearer = "Bearer ";

    // Half of what is promised: within 5 s of a change every server has read it.
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(2);

    private static readonly Refusal.Unauthorized None = new(
        "The call has no credential, and this service wants one: send the header 'Authorization: Bearer …' with an API key.");

    private static readonly Refusal.Unauthorized Several = new("The call has several Authorization headers; send one.");

    private static readonly Refusal.Unauthorized Malformed = new(
        "The header Authorization is not 'Bearer …' with an API key, which begins with 'olk_'.");

    private static readonly Refusal.Unauthorized Unknown = new("The API key is not valid: unknown, expired or revoked.");

    private static readonly Refusal.Unavailable NotReadYet = new(
        TimeSpan.FromSeconds(1), "This server has not read the API keys yet, and cannot tell whether this one is valid; ask again.");

    private readonly AccessFile _file;
    private readonly ApiKeys? _keys;
    private readonly TimeProvider _time;
    private readonly ProvenKeys _proven = new();

    // What is kept with a caller is of use where it is the same one for each call.
    private readonly ConditionalWeakTable<KeyText, LeaseCaller> _callers = [];

    /// <param name="file">The access file.</param>
    /// <param name="keys">The keys that are stored; null where this process has no store.</param>
    /// <param name="time">The clock.</param>
    public AccessControl(AccessFile file, ApiKeys? keys, TimeProvider time) => (_file, _keys, _time) = (file, keys, time);

    /// <summary>See <see cref="LeaseGatewayOptions.Authenticate"/>.</summary>
    public ValueTask<LeaseResult<LeaseCaller>> AuthenticateAsync(HttpContext context)
    {
        var headers = context.Request.Headers.Authorization;
        if (headers.Count != 1) return new(headers.Count == 0 ? None : Several);
        var text = headers[0].AsSpan();
        if (!text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) || !ApiKeyText.TryParse(text[Bearer.Length..], out var id))
            return new(Malformed);
        var token = text[Bearer.Length..];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _proven.Hash(headers[0]!, token, hash);
        var caller = Find(id, hash);
        if (!caller.IsCompletedSuccessfully) return caller;
        if (caller.Result.Refusal is null) _proven.Note(headers[0]!, hash);
        return caller;
    }

    /// <inheritdoc/>
    // Each by itself: a store that answers late keeps neither the rules from being read, nor the keys while last uses are noted.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(
            () =>
            {
                _file.Refresh();
                return Task.CompletedTask;
            },
            stoppingToken),
        _keys is null ? Task.CompletedTask : RepeatAsync(() => _keys.RefreshAsync(stoppingToken), stoppingToken),
        _keys is null ? Task.CompletedTask : RepeatAsync(() => _keys.NoteUsesAsync(stoppingToken), stoppingToken));

    private async Task RepeatAsync(Func<Task> act, CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RefreshEvery, _time);
        do await act();
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private ValueTask<LeaseResult<LeaseCaller>> Find(ReadOnlySpan<char> id, ReadOnlySpan<byte> hash)
    {
        if (_file.Policy.KeyOf(id) is { } own) return new(Of(CallerOf(own, hash)));
        if (_keys is null) return new(Unknown);
        if (!_keys.AreKnown && !_keys.Knows(id)) return new(NotReadYet);
        var caller = _keys.FindAsync(hash, id);
        return caller.IsCompletedSuccessfully ? new(Of(caller.Result)) : OfAsync(caller);
    }

    private LeaseCaller? CallerOf(KeyText key, ReadOnlySpan<byte> hash) =>
        CryptographicOperations.FixedTimeEquals(hash, key.Hash) && !(key.Expires <= _time.GetUtcNow())
            ? _callers.GetValue(key, MakeCaller)
            : null;

    private LeaseCaller MakeCaller(KeyText key) => new(key.Principal!, () =>
        _file.Policy.KeyOf(key.Id) is { } now && now.Sha256 == key.Sha256 && now.Principal == key.Principal
        && !(now.Expires <= _time.GetUtcNow())
            ? _file.Policy.RightsOf(key.Principal!, [])
            : AccessRights.None);

    private static async ValueTask<LeaseResult<LeaseCaller>> OfAsync(ValueTask<LeaseCaller?> caller) => Of(await caller);

    private static LeaseResult<LeaseCaller> Of(LeaseCaller? caller) => caller is null ? Unknown : caller;
}
