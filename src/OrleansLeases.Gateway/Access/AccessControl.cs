using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Gateway.Access;

/// <summary>
/// Finds out who calls, by an API key, a JWT or a client certificate, and what each may do, by the access file. All are kept up to date.
/// Thread-safe.
/// </summary>
internal sealed class AccessControl : BackgroundService
{
    private const string Bearer = "Bearer ";

    // Half of what is promised: within 5 s of a change every server has read it.
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(2);

    private static readonly Refusal.Unauthorized Several = new("The call has several Authorization headers; send one.");

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
        var policy = _file.Policy;
        var headers = context.Request.Headers.Authorization;
        if (headers.Count > 1) return new(Several);
        // A header goes before a certificate, and a wrong one is wrong whatever the certificate: it is what the caller says of this call.
        if (headers.Count == 0)
        {
            return new(policy.Certificates is { } certificates && context.Connection.ClientCertificate is { } shown
                ? CallerOf(context, certificates, shown)
                : policy.NoCredential);
        }

        var text = headers[0].AsSpan();
        if (!text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return new(policy.NoBearer);
        var token = text[Bearer.Length..];
        if (!ApiKeyText.TryParse(token, out var id))
            return policy.Jwt is { } jwt && token.Count('.') == 2 ? FindAsync(context, jwt) : new(policy.NoBearer);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _proven.Hash(headers[0]!, token, hash);
        var caller = Find(id, hash);
        if (!caller.IsCompletedSuccessfully) return caller;
        if (caller.Result.Refusal is null) _proven.Note(headers[0]!, hash);
        return caller;
    }

    /// <inheritdoc/>
    // Each by itself: a store or an authority that answers late keeps neither the rules from being read, nor the keys while last uses
    // are noted.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        RepeatAsync(
            () =>
            {
                _file.Refresh();
                return Task.CompletedTask;
            },
            stoppingToken),
        RepeatAsync(() => _file.Policy.Jwt?.RefreshAsync(stoppingToken) ?? Task.CompletedTask, stoppingToken),
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

    private async ValueTask<LeaseResult<LeaseCaller>> FindAsync(HttpContext context, IJwtVerifier jwt)
    {
        if (!(await jwt.VerifyAsync(context)).TryGetValue(out var identity, out var refusal)) return refusal;
        return new LeaseCaller(identity.Principal, () =>
            _file.Policy is { Jwt: { } now } policy && now.Accepts(identity) && _time.GetUtcNow() < identity.Expires
                ? policy.RightsOf(identity.Principal, identity.Groups)
                : AccessRights.None);
    }

    private LeaseResult<LeaseCaller> CallerOf(HttpContext context, ClientCertificates certificates, X509Certificate2 shown)
    {
        var sent = HttpsAddresses.IntermediatesOf(context);
        var (principal, problem) = certificates.PrincipalOf(shown, sent, _time.GetUtcNow());
        if (principal is null) return new Refusal.Unauthorized($"The client certificate is not valid: {problem}.");
        return new LeaseCaller(principal, () =>
            _file.Policy is { Certificates: { } now } policy && now.PrincipalOf(shown, sent, _time.GetUtcNow()).Principal == principal
                ? policy.RightsOf(principal, [])
                : AccessRights.None);
    }

    private static async ValueTask<LeaseResult<LeaseCaller>> OfAsync(ValueTask<LeaseCaller?> caller) => Of(await caller);

    private static LeaseResult<LeaseCaller> Of(LeaseCaller? caller) => caller is null ? Unknown : caller;
}
