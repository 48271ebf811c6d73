namespace OrleansLeases.Cluster.Tests.Processes;

/// <summary>Clusters of three silos for the tests that leave them as they found them.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    public const string Name = "The shared cluster";

    private LeaseCluster? _cluster;
    private LeaseCluster? _unsuspecting;

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>The cluster with its silos up, whatever an earlier test left of it.</summary>
    internal async Task<LeaseCluster> WholeAsync()
    {
        _cluster ??= await LeaseCluster.StartAsync();
        await _cluster.MakeWholeAsync();
        return _cluster;
    }

    /// <summary>Another one, likewise, in which nobody is declared dead within a test for being silent.</summary>
    internal async Task<LeaseCluster> UnsuspectingAsync()
    {
        _unsuspecting ??= await LeaseCluster.StartAsync(probe: TimeSpan.FromMinutes(1));
        await _unsuspecting.MakeWholeAsync();
        return _unsuspecting;
    }

    public async Task DisposeAsync()
    {
        if (_cluster is not null) await _cluster.DisposeAsync();
        if (_unsuspecting is not null) await _unsuspecting.DisposeAsync();
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(SharedCluster.Name)]
public sealed class OnSharedCluster : ICollectionFixture<SharedCluster>;
