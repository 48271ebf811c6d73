using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Embedded;

namespace OrleansLeases.Client.Tests;

/// <summary>A host that stops gives back what its handles hold, and what work holds once that has ended.</summary>
public sealed class HostStopTests : IAsyncLifetime
{
    private readonly EmbeddedLeases _service = EmbeddedLeases.InMemory();
    private readonly IHost _host;

    public HostStopTests()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLeasesClient(leases => leases.Servers.Add("http://127.0.0.1:1"));
        builder.Services.AddSingleton<ILeaseService>(_service);
        builder.Services.AddHostedService<Holder>();
        _host = builder.Build();
    }

    private LeaseClient Client => _host.Services.GetRequiredService<LeaseClient>();

    public Task InitializeAsync() => _host.StartAsync();

    public async Task DisposeAsync()
    {
        await ((IAsyncDisposable)_host).DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task Handle_IsLostFirst_AndThenReleased()
    {
        var lease = await Client.AcquireAsync("r");
        LeaseStatus? atLoss = null;
        using var lost = lease.LostToken.Register(() => atLoss = StateOf("r"));

        await _host.StopAsync();

        Assert.Equal(LeaseStatus.Held, atLoss);
        Assert.Equal(LeaseStatus.Free, StateOf("r"));
        Assert.Equal("The lease on 'r' was given back, since its host has stopped.", lease.Loss?.Detail);
        Assert.False(lease.IsValid());
        // Its own release finds nothing left to do.
        Assert.IsType<Refusal.NotHolder>((await lease.ReleaseAsync()).Refusal);
    }

    [Fact]
    public async Task Handle_IsThereUntilTheServicesOfTheHostHaveStopped()
    {
        await _host.StopAsync();

        Assert.True(_host.Services.GetServices<IHostedService>().OfType<Holder>().Single().HeldAtItsEnd);
        Assert.Equal(LeaseStatus.Free, StateOf("holder"));
    }

    [Fact]
    public async Task WorkOfARecipe_IsAskedToStop_AndAwaited()
    {
        var ends = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        var work = new DistributedLock(Client, "r").RunAsync(async (_, stop) =>
        {
            using var _1 = stop.Register(stopped.SetResult);
            await ends.Task;
        });
        await Eventually.TrueAsync(() => StateOf("r") == LeaseStatus.Held);
        var stopping = _host.StopAsync();
        await stopped.Task;
        Assert.Equal(LeaseStatus.Held, StateOf("r"));
        Assert.False(stopping.IsCompleted);

        ends.SetResult();
        await stopping;

        await Assert.ThrowsAsync<LeaseLostException>(() => work);
        Assert.Equal(LeaseStatus.Free, StateOf("r"));
    }

    [Fact]
    public async Task WorkThatDoesNotEnd_KeepsItsLease_AndTheHostNoLongerThanItsShutdownTime()
    {
        var ends = new TaskCompletionSource();
        var work = new DistributedLock(Client, "r").RunAsync((_, _) => ends.Task);
        var other = await Client.AcquireAsync("other");
        await Eventually.TrueAsync(() => StateOf("r") == LeaseStatus.Held);
        using var shutdown = new CancellationTokenSource();
        var stopping = _host.StopAsync(shutdown.Token);
        await Eventually.TrueAsync(() => StateOf("other") == LeaseStatus.Free);

        await shutdown.CancelAsync();
        // It may throw, or not: the services have stopped by then.
        await Task.WhenAny(stopping);

        Assert.Equal(LeaseStatus.Held, StateOf("r"));
        ends.SetResult();
        await Assert.ThrowsAsync<LeaseLostException>(() => work);
        await other.DisposeAsync();
    }

    private LeaseStatus StateOf(string resource) => _service.GetAsync(new() { Resource = resource }).AsTask().Result.Value.State;

    private sealed class Holder(LeaseClient client) : IHostedService
    {
        private LeaseHandle? _lease;

        public bool HeldAtItsEnd { get; private set; }

        public async Task StartAsync(CancellationToken cancellationToken) =>
            _lease = await client.AcquireAsync("holder", cancellationToken: cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken)
        {
            HeldAtItsEnd = _lease!.IsValid();
            return Task.CompletedTask;
        }
    }
}
