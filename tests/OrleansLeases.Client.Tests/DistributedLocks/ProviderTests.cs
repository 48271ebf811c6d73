using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Client.Tests.Recipes;
using OrleansLeases.Client.Tests.Support;
using OrleansLeases.DistributedLocks;

namespace OrleansLeases.Client.Tests.DistributedLocks;

/// <summary>Providers among the services of an application, and what Medallion.Threading does with them by itself.</summary>
[SuppressMessage("Usage", "xUnit1031", Justification = "The calls that block are what is tested.")]
public sealed class ProviderTests : RecipeTests
{
    [Fact]
    public async Task Services_HaveEveryProvider_OverTheClientAmongThem()
    {
        var services = new ServiceCollection();
        services.AddSingleton(Ann);
        services.AddLeasesDistributedLocks(new() { Prefix = "app" }).AddLeasesDistributedLocks();
        await using var provider = services.BuildServiceProvider();

        var locks = provider.GetRequiredService<IDistributedLockProvider>();
        await using (await locks.AcquireLockAsync("r")) Assert.Equal(["ann"], World.HoldersOf("app/r"));

        Assert.Same(locks, provider.GetRequiredService<IDistributedReaderWriterLockProvider>());
        Assert.Same(locks, provider.GetRequiredService<IDistributedSemaphoreProvider>());
        Assert.Same(locks, provider.GetRequiredService<IDistributedUpgradeableReaderWriterLockProvider>());
        Assert.Same(locks, Assert.Single(provider.GetServices<IDistributedLockProvider>()));
    }

    [Fact]
    public async Task Services_WithAnotherProvider_KeepIt()
    {
        var services = new ServiceCollection();
        var other = new LeaseDistributedSynchronizationProvider(Bob);
        services.AddSingleton(Ann).AddSingleton<IDistributedLockProvider>(other).AddLeasesDistributedLocks();
        await using var provider = services.BuildServiceProvider();

        Assert.Same(other, provider.GetRequiredService<IDistributedLockProvider>());
    }

    [Fact]
    public async Task SeveralLocks_AreAcquiredTogether_AlsoBlockingOnTheOneThreadOfAContext()
    {
        using var caller = new CallerThread();
        var locks = new LeaseDistributedSynchronizationProvider(Ann);

        await caller.RunAsync(() =>
        {
            using (locks.AcquireAllLocks(["a", "b"])) Assert.Equal(["ann", "ann"], [.. World.HoldersOf("a"), .. World.HoldersOf("b")]);
            Assert.Empty(World.HoldersOf("a"));
            return Task.CompletedTask;
        });

        await using var taken = await locks.AcquireLockAsync("b");
        Assert.Null(await locks.TryAcquireAllLocksAsync(["a", "b"]));
        Assert.Empty(World.HoldersOf("a"));
    }

    [Fact]
    public async Task HandleThatIsForgotten_IsReleased_AndLoggedWithTheApplicationsCode()
    {
        var log = new LogBook();
        await using var client = new LeaseClient(World.Service, new() { Owner = "cid" }, World.Time, log);
        Forget(client);

        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return World.HoldersOf("r").Count == 0 && log.Lines.Count > 0;
        });

        var (_, message) = Assert.Single(log.Lines);
        Assert.Contains($"{nameof(ProviderTests)}.{nameof(Forget)}", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lease_IsOfTheOptions_AndOfTheClientsOwner()
    {
        var options = new LeaseOptions
        {
            Ttl = TimeSpan.FromSeconds(7), LockDelay = TimeSpan.FromSeconds(3), HoldAtLeast = TimeSpan.FromSeconds(1), Owner = "x",
            Capacity = 3,
        };
        var provider = new LeaseDistributedSynchronizationProvider(Ann, new() { Lease = options });

        await using (var held = await provider.CreateLock("r").AcquireAsync())
        {
            Assert.Equal((TimeSpan.FromSeconds(7), "ann", LeaseMode.Exclusive), (held.Lease.Ttl, held.Lease.Owner, held.Lease.Mode));
            Assert.Equal(held.Lease.Token, held.Token);
        }

        Assert.Null(new LeaseDistributedSynchronizationProvider(Bob).CreateLock("r").TryAcquire());
        World.Time.Advance(TimeSpan.FromSeconds(1));
        await using var one = await provider.CreateReaderWriterLock("r").AcquireReadLockAsync();
        await using var two = await provider.CreateReaderWriterLock("r").AcquireReadLockAsync();
        Assert.Equal(["ann/1", "ann/2"], World.HoldersOf("r"));
    }

    [Fact]
    public async Task HoldAtLeast_KeepsOutOtherClients_AndNotThisOne()
    {
        var options = new LeaseDistributedSynchronizationOptions { Lease = new() { HoldAtLeast = TimeSpan.FromMinutes(1) } };
        var provider = new LeaseDistributedSynchronizationProvider(Ann, options);
        provider.CreateLock("r").Acquire().Dispose();

        Assert.Null(new LeaseDistributedSynchronizationProvider(Bob, options).CreateLock("r").TryAcquire());
        await using var again = await provider.CreateLock("r").TryAcquireAsync();
        Assert.NotNull(again);
    }

    [Fact]
    public void Options_WithoutALease_AreRefused()
    {
        var refusal = Assert.Throws<ArgumentNullException>(() => new LeaseDistributedSynchronizationOptions { Lease = null! });
        Assert.StartsWith("Lease is null;", refusal.Message, StringComparison.Ordinal);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(LeaseClient client) => new LeaseDistributedSynchronizationProvider(client).AcquireLock("r");
}
