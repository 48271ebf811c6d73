using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Conformance.Worlds;

/// <summary>The embedded engine on SQLite, in a folder of its own.</summary>
public sealed class SqliteWorld : LeaseWorld
{
    private readonly ManualTimeProvider _time = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("orleans-leases-");
    private EmbeddedLeases? _leases;

    public override string Engine => "embedded-sqlite";

    public override bool Durable => true;

    public override async Task<ILeaseService> StartAsync(LeaseLimits limits) =>
        _leases = await EmbeddedLeases.OpenAsync(_folder.FullName, new EmbeddedLeaseOptions { Limits = limits }, _time);

    public override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_leases is not null) await _leases.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
