using OrleansLeases.Embedded;
using OrleansLeases.OutsideStore;
using OrleansLeases.Testing;

namespace OrleansLeases.Conformance.Worlds;

/// <summary>The embedded engine on a store that was written outside of the service.</summary>
public sealed class ByteStoreWorld : LeaseWorld
{
    private readonly ManualTimeProvider _time = new();
    private EmbeddedLeases? _leases;

    public override string Engine => "embedded";

    public override bool Durable => true;

    public override async Task<ILeaseService> StartAsync(LeaseLimits limits) =>
        _leases = await EmbeddedLeases.OpenAsync(new ByteStore(), new EmbeddedLeaseOptions { Limits = limits }, _time);

    public override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync() => _leases?.DisposeAsync() ?? ValueTask.CompletedTask;
}
