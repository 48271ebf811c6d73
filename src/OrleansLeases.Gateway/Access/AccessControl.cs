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

    private readonly AccessFile _file;
    private readonly TimeProvider _time;

    public AccessControl(AccessFile file, ApiKeys keys, TimeProvider time) => (_file, Keys, _time) = (file, keys, time);

    public ApiKeys Keys { get; }

    /// <summary>See <see cref="LeaseGatewayOptions.Authenticate"/>.</summary>
    public ValueTask<LeaseResult<LeaseCaller>> AuthenticateAsync(HttpContext context)
    {
        var headers = context.Request.Headers.Authorization;
        if (headers.Count != 1) return new(headers.Count == 0 ? None : Several);
        var text = headers[0].AsSpan();
        if (!text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) || !ApiKeyText.TryParse(text[Bearer.Length..], out var id))
            return new(Malformed);
        var caller = Keys.FindAsync(text[Bearer.Length..], id);
        return caller.IsCompletedSuccessfully ? new(Of(caller.Result)) : OfAsync(caller);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RefreshEvery, _time);
        do
        {
            _file.Refresh();
            await Keys.RefreshAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static async ValueTask<LeaseResult<LeaseCaller>> OfAsync(ValueTask<LeaseCaller?> caller) => Of(await caller);

    private static LeaseResult<LeaseCaller> Of(LeaseCaller? caller) => caller is null ? Unknown : caller;
}
