using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.TestingHost;
using OrleansLeases.Core;
using OrleansLeases.Grains;
using OrleansLeases.Testing;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>A silo that can be made to forget every grain in it.</summary>
internal sealed class WorldSilo
{
    private static readonly TimeSpan LongestCleanUp = TimeSpan.FromSeconds(10);

    private readonly Activations _activations = new();

    private int _calls;

    private WorldSilo(Action<ISiloBuilder> leases)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Time));
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            silo.Services.AddSingleton<IActivationWorkingSetObserver>(_activations);
            silo.AddOutgoingGrainCallFilter(CountAsync);
            leases(silo);
        });
        builder.ConfigureClient(client => client.AddOutgoingGrainCallFilter(CountAsync).AddLeases());
        Cluster = builder.Build();
    }

    public ManualTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());

    public InProcessTestCluster Cluster { get; }

    public IServiceProvider Services => Cluster.GetSiloServiceProvider();

    public static async Task<WorldSilo> StartAsync(Action<ISiloBuilder> leases)
    {
        var silo = new WorldSilo(leases);
        await silo.Cluster.DeployAsync();
        return silo;
    }

    /// <summary>
    /// Lets every clean-up and every call that a test has begun come to its end, and deactivates the grains of leases. One that
    /// comes later would meet the records of the next test: the same keys, bound to a lease with the same token.
    /// </summary>
    /// <returns>False where a clean-up does not end: the silo is of no use to another test.</returns>
    public async Task<bool> TrySettleAsync()
    {
        var cleaner = Services.GetRequiredService<KeyCleaner>();
        var started = TimeProvider.System.GetTimestamp();
        while (cleaner.Outstanding > 0 || Volatile.Read(ref _calls) > 0)
        {
            if (TimeProvider.System.GetElapsedTime(started) > LongestCleanUp) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }

        await DeactivateAsync();
        return cleaner.Outstanding == 0;
    }

    // A caller that gives up has its call go on, until the grain has answered.
    private async Task CountAsync(IOutgoingGrainCallContext call)
    {
        // What waits in line ends with its grain.
        var counts = IsOurs(call.Request.GetInterfaceType()) && !Waits(call);
        if (counts) Interlocked.Increment(ref _calls);
        try
        {
            await call.Invoke();
        }
        finally
        {
            if (counts) Interlocked.Decrement(ref _calls);
        }
    }

    private static bool IsOurs(Type contract) =>
        contract.Assembly == typeof(LeaseSilo).Assembly || contract.Assembly == typeof(ILeaseGrain).Assembly;

    private static bool Waits(IOutgoingGrainCallContext call) =>
        call.Request.GetArgumentCount() > 0 && call.Request.GetArgument(0) is AcquireRequest { Wait.Ticks: > 0 };

    private async Task DeactivateAsync()
    {
        while (_activations.OfOurs() is { Length: > 0 } grains) await Task.WhenAll(grains.Select(DeactivateAsync));
    }

    private static Task DeactivateAsync(IGrainContext grain)
    {
        grain.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "The test has ended."));
        return grain.Deactivated;
    }

    private sealed class Activations : IActivationWorkingSetObserver
    {
        private readonly ConcurrentDictionary<IGrainContext, bool> _all = new(ReferenceEqualityComparer.Instance);

        public IGrainContext[] OfOurs() =>
            [.. _all.Keys.Where(grain => grain.GrainInstance?.GetType().Assembly == typeof(LeaseSilo).Assembly)];

        public void OnAdded(IActivationWorkingSetMember member)
        {
            if (member is IGrainContext grain) _all[grain] = true;
        }

        public void OnDeactivated(IActivationWorkingSetMember member)
        {
            if (member is IGrainContext grain) _all.TryRemove(grain, out _);
        }
    }
}
