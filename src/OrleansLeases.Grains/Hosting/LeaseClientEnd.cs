using Orleans;
using Orleans.Runtime;
using OrleansLeases.Client;

namespace OrleansLeases.Grains;

/// <summary>
/// Releases what the <see cref="LeaseClient"/> among the services still holds when its silo or its client of a cluster stops, within the
/// time for that. Thread-safe.
/// </summary>
internal sealed class LeaseClientEnd : ILifecycleParticipant<ISiloLifecycle>, ILifecycleParticipant<IClusterClientLifecycle>
{
    private volatile LeaseClient? _client;

    /// <summary>Takes note of the client that was made; where nobody asked for one, there is nothing to release.</summary>
    public LeaseClient Of(LeaseClient client) => _client = client;

    // Once the silo's grains are deactivated, which may rely on their leases until then and release some; the silo can still call others.
    public void Participate(ISiloLifecycle lifecycle) => Subscribe(lifecycle, ServiceLifecycleStage.GrainDirectoryShutdown);

    // After what applications have put into any later stage, and while the client is connected.
    public void Participate(IClusterClientLifecycle lifecycle) => Subscribe(lifecycle, ServiceLifecycleStage.ApplicationServices - 1);

    private void Subscribe(ILifecycleObservable lifecycle, int stage) =>
        lifecycle.Subscribe(nameof(LeaseClientEnd), stage, _ => Task.CompletedTask, StopAsync);

    private Task StopAsync(CancellationToken cancellationToken) => _client?.ReleaseAllAsync(cancellationToken) ?? Task.CompletedTask;
}
