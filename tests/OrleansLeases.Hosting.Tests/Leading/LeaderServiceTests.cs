using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Hosting.Tests.Support;

namespace OrleansLeases.Hosting.Tests.Leading;

public sealed class LeaderServiceTests : IAsyncLifetime
{
    private const string Resource = "leaders/OrleansLeases.Hosting.Tests.Support.Exporter";

    private readonly HostingWorld _world = new();
    private readonly ConcurrentQueue<Export> _exports = new();

    private Export[] Running => [.. _exports.Where(export => export.IsRunning)];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task Service_RunsOnOneHost_AndOnTheNextOnceThatOneStops()
    {
        var (ann, _) = await JoinAsync("ann");
        await _world.SettleAsync(() => Running.Length == 1);
        await JoinAsync("bob");
        await LineUpAsync();
        await _world.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal("ann", Assert.Single(_exports).Host);

        await ann.Host.StopAsync();

        // At once: the clock stands still.
        await _world.SettleAsync(() => _exports.Count == 2);
        Assert.Equal(["bob"], Running.Select(export => export.Host));
        Assert.True(_exports.Last().Token > _exports.First().Token);
    }

    [Fact]
    public async Task Service_ThatTakesItsTimeToStop_KeepsTheOthersWaiting()
    {
        var stops = new TaskCompletionSource();
        var (ann, work) = await JoinAsync("ann", stop => stops.Task);
        await _world.SettleAsync(() => Running.Length == 1);
        await JoinAsync("bob");
        await LineUpAsync();
        var stopping = ann.Host.StopAsync();
        await _world.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal("ann", Assert.Single(_exports).Host);
        Assert.Equal(HealthStatus.Degraded, (await ann.HealthAsync(Resource)).Status);
        Assert.True(ann.Log.Has(5));

        stops.SetResult();

        await _world.SettleAsync(() => _exports.Count == 2);
        Assert.False(_exports.First().IsRunning);
        await stopping;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Service_WhoseOverrideThrows_KeepsTheOthersWaitingUntilItHasStopped(bool atItsStart)
    {
        var (begun, stops, asked) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        var exports = new Exports("ann", _exports)
        {
            Work = stop =>
            {
                begun.TrySetResult();
                stop.Register(() => asked.TrySetResult());
                return stops.Task;
            },
            Started = atItsStart ? WarmUpAsync : null,
            Stopping = atItsStart ? null : () => throw new IOException("It cannot flush."),
        };
        var ann = await _world.StartAsync("ann", services => services.AddSingleton(exports).AddLeaderService<Exporter>());
        await _world.SettleAsync(() => Running.Length == 1);
        await JoinAsync("bob");
        await LineUpAsync();

        var stopping = ann.Host.StopAsync();

        await asked.Task;
        await _world.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal("ann", Assert.Single(_exports).Host);
        stops.SetResult();
        await _world.SettleAsync(() => Running is [{ Host: "bob" }]);
        await stopping;

        async Task WarmUpAsync()
        {
            await begun.Task;
            throw new IOException("It cannot warm up.");
        }
    }

    [Fact]
    public async Task Lease_ThatCannotBeRenewed_StopsTheServiceInGoodTime()
    {
        TimeSpan? stopped = null;
        var (ann, _) = await JoinAsync("ann", stop => UntilStoppedAsync(() => stopped = _world.Time.Elapsed, stop));
        await _world.SettleAsync(() => Running.Length == 1);
        await JoinAsync("bob");
        await LineUpAsync();
        ann.Way.IsCut = true;
        await _world.PassAsync(TimeSpan.FromSeconds(19));
        Assert.True(Assert.Single(_exports).IsRunning);

        // A third of 30 s before the end of the lease.
        await _world.PassAsync(TimeSpan.FromSeconds(1));
        await _world.SettleAsync(() => stopped is not null);

        await _world.PassAsync(TimeSpan.FromSeconds(9));
        Assert.Single(_exports);
        await _world.PassAsync(TimeSpan.FromSeconds(2));
        await _world.SettleAsync(() => Running is [{ Host: "bob" }]);
    }

    [Fact]
    public async Task Service_ThatFails_IsStartedElsewhereAtOnce_AndThereAfterAPause()
    {
        var (ann, work) = await JoinAsync("ann", _ => throw new InvalidOperationException("no disk"));
        await _world.SettleAsync(() => _exports.Count == 1 && _world.Look(Resource).State == LeaseStatus.Free);
        Assert.Contains("no disk", (await ann.HealthAsync(Resource)).Description, StringComparison.Ordinal);
        Assert.True(ann.Log.Has(3));
        work.Work = static stop => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        var (bob, _) = await JoinAsync("bob");
        await _world.SettleAsync(() => Running is [{ Host: "bob" }]);
        await bob.Host.StopAsync();

        await _world.UntilAsync(() => Running is [{ Host: "ann" }]);

        Assert.Equal(HealthStatus.Healthy, (await ann.HealthAsync(Resource)).Status);
    }

    [Fact]
    public async Task Service_ThatFailsAgainAndAgain_PausesLongerEachTime()
    {
        await JoinAsync("ann", _ => throw new InvalidOperationException("no disk"));
        for (var failures = 1; failures <= 4; failures++)
        {
            await _world.SettleAsync(() => _exports.Count == failures && _world.Look(Resource).State == LeaseStatus.Free);
            var failed = _world.Time.Elapsed;

            await _world.UntilAsync(() => _exports.Count > failures);

            Assert.True(_world.Time.Elapsed - failed >= TimeSpan.FromSeconds(1 << (failures - 1)));
        }
    }

    [Fact]
    public async Task Service_ThatComesToItsEnd_IsNotStartedAgain()
    {
        var (ann, _) = await JoinAsync("ann", _ => Task.CompletedTask);
        await _world.SettleAsync(() => ann.Log.Has(4));
        await JoinAsync("bob");

        await _world.PassAsync(TimeSpan.FromMinutes(2));

        Assert.Equal("ann", Assert.Single(_exports).Host);
        Assert.Equal("ann", _world.Look(Resource).Holders[0].Owner);
    }

    [Fact]
    public async Task Leader_ThatIsAskedToHandOver_StopsTheService()
    {
        await JoinAsync("ann");
        await _world.SettleAsync(() => Running.Length == 1);
        await JoinAsync("bob");
        await LineUpAsync();
        await using var operations = new LeaseClient(_world.Service, time: _world.Time);

        await new LeaderElection(operations, Resource).AskToHandOverAsync(TimeSpan.FromMinutes(1), "an upgrade");
        await _world.PassAsync(TimeSpan.FromSeconds(11));

        await _world.SettleAsync(() => Running is [{ Host: "bob" }]);
    }

    [Fact]
    public async Task Service_ThatGoesOnAfterItsLease_IsSpokenOf_AndItsHostLeadsNoMore()
    {
        var stops = new TaskCompletionSource();
        var (ann, _) = await JoinAsync("ann", _ => stops.Task);
        await _world.SettleAsync(() => Running.Length == 1);
        var (bob, _) = await JoinAsync("bob");
        await LineUpAsync();
        await _world.Service.BreakAsync(new() { Resource = Resource, Grace = TimeSpan.Zero, Force = true, Reason = "test" });
        await _world.UntilAsync(() => Running.Length == 2 && ann.Log.Has(6));
        var health = await ann.HealthAsync(Resource);
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Contains($"the token {_exports.First().Token} ", health.Description, StringComparison.Ordinal);
        await bob.Host.StopAsync();
        await _world.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(2, _exports.Count);

        stops.SetResult();

        await _world.UntilAsync(() => _exports.Count == 3);
        Assert.Equal("ann", _exports.Last().Host);
        Assert.Equal(HealthStatus.Healthy, (await ann.HealthAsync(Resource)).Status);
    }

    private static async Task UntilStoppedAsync(Action stopped, CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopped();
    }

    private Task LineUpAsync() => _world.SettleAsync(() => _world.Look(Resource).Waiters == 1);

    private async Task<(Member Member, Exports Work)> JoinAsync(string name, Func<CancellationToken, Task>? work = null)
    {
        var exports = new Exports(name, _exports);
        if (work is not null) exports.Work = work;
        var member = await _world.StartAsync(name, services => services.AddSingleton(exports).AddLeaderService<Exporter>());
        return (member, exports);
    }
}
