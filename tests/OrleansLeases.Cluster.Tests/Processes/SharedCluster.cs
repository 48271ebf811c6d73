namespace OrleansLeases.Cluster.Tests.Processes;

/// <summary>A cluster of three silos for the tests that leave it as they found it.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public const string Name = "The shared cluster";

    private LeaseCluster? _cluster;

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>The cluster with its silos up, whatever an earlier test left of it.</summary>
    internal async Task<LeaseCluster> WholeAsync()
    {
        _cluster ??= await LeaseCluster.StartAsync();
        await _cluster.MakeWholeAsync();
        return _cluster;
    }

    public async Task DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(SharedCluster.Name)]
public sealed class OnSharedCluster : ICollectionFixture<SharedCluster>;
