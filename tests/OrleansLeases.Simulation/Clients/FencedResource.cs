using OrleansLeases.Simulation.Network;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Clients;

/// <summary>
/// What leases protect: a value that is read, changed and written back, by the holder of the resource. It keeps the highest token that it
/// has seen and refuses lower ones; so no change is ever lost, whatever clocks and pauses do.
/// </summary>
internal sealed class FencedResource
{
    private const string Place = "resource";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly SimNetwork _network;
    private readonly Planted _planted;
    private readonly SimProcess _process;
    private readonly Dictionary<string, Protected> _values = [];

    public FencedResource(SimNetwork network, Planted planted)
    {
        (_network, _planted) = (network, planted);
        _process = new(network.Scheduler, Place, TimeSpan.Zero, TimeSpan.Zero);
    }

    public long Writes { get; private set; }

    public long Refused { get; private set; }

    /// <summary>Reads, changes and writes back; false where it was refused, null where no answer came.</summary>
    public async Task<bool?> ChangeAsync(SimProcess caller, string resource, long token, TimeSpan work)
    {
        var read = await AskAsync(caller, () => Admit(resource, token) is { } value ? value.Content : -1).ConfigureAwait(false);
        if (read is null or -1) return read is null ? null : false;
        await Task.Delay(work, caller.Clock).ConfigureAwait(false);
        var written = await AskAsync(caller, () => Write(resource, token, read.Value) ? 1 : 0).ConfigureAwait(false);
        return written is null ? null : written == 1;
    }

    private Protected? Admit(string resource, long token)
    {
        if (!_values.TryGetValue(resource, out var value)) _values[resource] = value = new();
        if (token < value.Highest && !_planted.HasFlag(Planted.NoFence))
        {
            Refused++;
            return null;
        }

        if (token > value.Highest) value.Highest = token;
        return value;
    }

    private bool Write(string resource, long token, long read)
    {
        if (Admit(resource, token) is not { } value) return false;
        if (value.Content != read)
            _network.Scheduler.Fail("fence", $"Token {token} of {resource} wrote over {value.Content}, having read {read}.");
        value.Content++;
        Writes++;
        return true;
    }

    private async Task<long?> AskAsync(SimProcess caller, Func<long> act)
    {
        var answer = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        _network.Send(caller.Name, Place, () => _process, () =>
        {
            var result = act();
            _network.Send(Place, caller.Name, () => caller, () => answer.TrySetResult(result), once: true);
        }, once: true);
        try
        {
            return await answer.Task.WaitAsync(Limit, caller.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private sealed class Protected
    {
        public long Highest { get; set; }

        public long Content { get; set; }
    }
}
