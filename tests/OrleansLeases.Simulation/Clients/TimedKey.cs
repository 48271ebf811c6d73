namespace OrleansLeases.Simulation.Clients;

/// <summary>
/// A key with a time of its own that one client alone writes: it is there until that has passed since the put, and not long afterwards.
/// </summary>
internal sealed class TimedKey(World world, SimClient client)
{
    // Clocks of hosts run fast or slow by less than this part.
    private const double Drift = 0.01;

    // Two skews of clocks, and what a clock is stepped by, on its way from one host to another.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(4);

    /// <summary>What the names of all of them begin with.</summary>
    public const string Prefix = "timed/";

    private readonly Scheduling.Dice _dice = client.Dice.Fork();
    private string _key = $"{Prefix}{client.Name}/0";
    private (string Value, TimeSpan ThereUntil, TimeSpan GoneBy, int Restores)? _put;
    private int _values;

    public async Task PutAsync()
    {
        _put = null;
        var ttl = _dice.Skewed(TimeSpan.FromMilliseconds(200), world.LongestTtl);
        var (value, asked, restores) = ($"{++_values}", world.Scheduler.Now, world.Truth.Restores);
        var request = new PutKeyRequest { Value = value, Ttl = ttl, RequestId = client.NewRequestId() };
        var result = await client.Service.PutKeyAsync(_key, request).ConfigureAwait(false);
        if (result.Refusal is not null)
        {
            // It may come yet, after the next one.
            _key = $"{Prefix}{client.Name}/{_values}";
            return;
        }

        _put = (value, asked + (ttl * (1 - Drift)), world.Scheduler.Now + (ttl * (1 + Drift)) + Late, restores);
    }

    public async Task ReadAsync()
    {
        var asked = world.Scheduler.Now;
        var listed = _dice.OneIn(3);
        var read = listed ? await ListAsync().ConfigureAwait(false) : await GetAsync().ConfigureAwait(false);
        if (read is not { } answer || _put is not { } put || put.Restores != world.Truth.Restores) return;
        if (answer == put.Value && asked >= put.GoneBy && !CountsLate)
            world.Scheduler.Fail("ttl", $"{_key} was shown as {answer} {asked - put.GoneBy} after its time.");
        // A listing, and another activation, may show what was stored before.
        if (answer.Length == 0 && !listed && world.Scheduler.Now < put.ThereUntil && !IsWrong)
            world.Scheduler.Fail("ttl", $"{_key} was not found {put.ThereUntil - world.Scheduler.Now} before its time.");
    }

    // A machine's sleep does not count, and a wall clock that was set back is believed after a restart.
    private bool CountsLate => IsWrong || (world.Faults & (Faults.HostSleeps | Faults.HostSteps)) != Faults.None;

    private bool IsWrong => world.Faults.HasFlag(Faults.HostSkews);

    private async Task<string?> GetAsync()
    {
        var result = await client.Service.GetKeyAsync(_key).ConfigureAwait(false);
        return result.TryGetValue(out var found, out var refusal) ? found.Value : refusal is Refusal.NotFound ? "" : null;
    }

    private async Task<string?> ListAsync()
    {
        var result = await client.Service.ListKeysAsync(new() { Prefix = _key }).ConfigureAwait(false);
        return result.TryGetValue(out var page, out _) ? page.Keys.FirstOrDefault(key => key.Key == _key)?.Value ?? "" : null;
    }
}
