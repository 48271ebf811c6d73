using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Conformance.Worlds;

/// <summary>The embedded engine in memory.</summary>
public sealed class MemoryWorld : LeaseWorld
{
    private readonly ManualTimeProvider _time = new();
    private EmbeddedLeases? _leases;

    public override string Engine => "embedded-memory";

    public override bool Durable => false;

    public override Task<ILeaseService> StartAsync(LeaseLimits limits)
    {
        _leases = EmbeddedLeases.InMemory(new EmbeddedLeaseOptions { Limits = limits }, _time);
        return Task.FromResult<ILeaseService>(_leases);
    }

    public override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync() => _leases?.DisposeAsync() ?? ValueTask.CompletedTask;
}
