using System.Runtime.CompilerServices;
using Orleans.Runtime;
using OrleansLeases.Grains;
using OrleansLeases.Simulation.Network;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Hosts;

/// <summary>The places where hosts run, and who takes whom for the place of a name.</summary>
internal sealed class Cluster(Scheduler scheduler, SimNetwork network, Checking.Truth truth, int places)
{
    private readonly Dictionary<(int At, string Name), int> _believed = [];

    public SimNetwork Network => network;

    public Scheduler Scheduler => scheduler;

    public Checking.Truth Truth => truth;

    /// <summary>The host of each place; null while there is none.</summary>
    public SimHost?[] Hosts { get; } = new SimHost?[places];

    public SimMembership Membership => field ??= new(scheduler, Hosts);

    /// <summary>Watches what the keepers of one silo store, as another one does.</summary>
    public async IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchSiloAsync(
        SimHost here, SiloAddress silo, string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var place = SimMembership.PlaceOf(silo);
        var stream = new SimStream<LeaseResult<WatchEvent[]>>(network, here.Process);
        network.Send(here.Process.Name, PlaceName(place), () => Hosts[place]?.Process, () =>
        {
            if (Hosts[place] is { } host && host.Address.Equals(silo)) _ = stream.PumpAsync(host.Process, host.ShareOf(prefix));
        }, once: true);
        await foreach (var batch in stream.ReadAsync(cancellationToken).ConfigureAwait(false)) yield return batch;
    }

    public static string PlaceName(int place) => $"host{place}";

    /// <summary>Where a host at one place takes a name to be.</summary>
    public int PlaceOf(string name, int at)
    {
        if (_believed.TryGetValue((at, name), out var believed) && IsMember(believed, at)) return believed;
        // FNV-1a: the hash codes of .NET differ from process to process.
        var hash = 2166136261u;
        foreach (var letter in name) hash = (hash ^ letter) * 16777619u;
        for (var next = 0; next < places; next++)
        {
            var place = (int)((hash + (uint)next) % (uint)places);
            if (IsMember(place, at)) return place;
        }

        return at;
    }

    private bool IsMember(int place, int at) => Hosts[place] is { } host && (!host.IsTakenForDead || place == at);

    /// <summary>From now on a place takes a name to be somewhere, which others may see otherwise.</summary>
    public void Believe(int at, string name, int place) => _believed[(at, name)] = place;

    /// <summary>All agree.</summary>
    public void Agree() => _believed.Clear();

    /// <summary>Has a host elsewhere do something; nothing comes where the call or its answer is lost.</summary>
    public Task<T> CallAsync<T>(SimHost here, int to, Func<SimHost, Task<T>> call)
    {
        if (here.Place == to) return call(here);
        var caller = here.Process;
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        // A restore is made with all hosts stopped: what one told another before reaches none that starts on the copy.
        var restores = truth.Restores;
        network.Send(
            caller.Name, PlaceName(to), () => truth.Restores == restores ? Hosts[to]?.Process : null, () => _ = AnswerAsync(Hosts[to]!));
        return answer.Task;

        async Task AnswerAsync(SimHost host)
        {
            // Whatever it throws is not carried: the caller's time limit ends the call.
            var result = await call(host).ConfigureAwait(false);
            if (host.Process.HasCrashed) return;
            network.Send(PlaceName(to), caller.Name, () => caller, () => answer.TrySetResult(result), once: true);
        }
    }
}
