using System.Globalization;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Orleans.Calls;

// Names of a run are its own, so that a database may serve several.
internal static class Run
{
    public static readonly string Prefix = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}/");
}

internal static class Alone
{
    public static string Of(int callers) => callers == 1 ? ", one caller" : "";
}

// Each caller renews one lease as fast as it can: all but one renewal in half a minute stay below the horizon.
internal sealed class Renewals(ILeaseCalls calls, int callers) : CallerLoad($"renewals, {calls.Way}", callers)
{
    private readonly ILeaseCalls[] _leases = new ILeaseCalls[callers];
    private readonly RenewRequest[] _requests = new RenewRequest[callers];

    public override async Task PrepareAsync()
    {
        for (var caller = 0; caller < Callers; caller++)
        {
            var (resource, owner) = ($"{Run.Prefix}hot/{calls.Way}/{Number(caller)}", $"owner-{Number(caller)}");
            _leases[caller] = calls.To(resource);
            var token = await _leases[caller].AcquireCheckedAsync(
                new AcquireRequest { Resource = resource, Owner = owner, Ttl = TimeSpan.FromHours(1) });
            _requests[caller] = new RenewRequest { Resource = resource, Owner = owner, Token = token };
        }
    }

    public override async Task StepAsync(int caller) => await _leases[caller].RenewCheckedAsync(_requests[caller]);

    private static string Number(int number) => number.ToString("D4", CultureInfo.InvariantCulture);
}

// Acquire and release, both stored, each caller its own name. Tokens must rise.
internal sealed class Cycles(ILeaseCalls calls, int callers) : CallerLoad($"acquire and release, {calls.Way}{Alone.Of(callers)}", callers)
{
    private readonly string[] _names =
    [
        .. Enumerable.Range(0, callers).Select(
            caller => string.Create(CultureInfo.InvariantCulture, $"{Run.Prefix}own/{calls.Way}/{callers:D4}/{caller:D4}")),
    ];
    private readonly ILeaseCalls[] _leases = new ILeaseCalls[callers];
    private readonly long[] _last = new long[callers];

    public override Task PrepareAsync()
    {
        for (var caller = 0; caller < Callers; caller++)
            _leases[caller] = calls.To(_names[caller]);
        return Task.CompletedTask;
    }

    public override async Task StepAsync(int caller)
    {
        var resource = _names[caller];
        var token = await _leases[caller].AcquireCheckedAsync(
            new AcquireRequest { Resource = resource, Owner = "owner", Ttl = TimeSpan.FromMinutes(1) });
        if (token <= _last[caller])
            throw new BenchException($"Token {token} of {resource} was granted after token {_last[caller]}.");
        _last[caller] = token;
        await _leases[caller].ReleaseCheckedAsync(new ReleaseRequest { Resource = resource, Owner = "owner", Token = token });
    }
}

// Acquires of names that nobody ever used: an activation, a read that finds nothing and a first write each. They are
// held for an hour, so that none ends during the run.
internal sealed class FirstAcquires(ILeaseCalls calls, int callers) : CallerLoad($"first acquires, {calls.Way}{Alone.Of(callers)}", callers)
{
    // Each leaves an activation behind; these are as many as a round may add.
    private const int PerRound = 20_000;

    private readonly int[] _names = new int[callers];
    private int _limit;

    public override Task BeginRoundAsync()
    {
        _limit = _names.Max() + PerRound / Callers;
        return Task.CompletedTask;
    }

    public override bool HasMore(int caller) => _names[caller] < _limit;

    public override async Task StepAsync(int caller) => await calls.AcquireCheckedAsync(new AcquireRequest
    {
        Resource = string.Create(
            CultureInfo.InvariantCulture, $"{Run.Prefix}first/{calls.Way}/{Callers:D4}/{caller:D4}/{_names[caller]++:D7}"),
        Owner = "owner",
        Ttl = TimeSpan.FromHours(1),
    });
}
