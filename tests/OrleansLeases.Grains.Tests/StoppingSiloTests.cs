using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.TestingHost;
using OrleansLeases.Client;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>What an application's grains ask of the leases while their silo stops.</summary>
public sealed class StoppingSiloTests
{
    private const int Leases = 40;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Release_WhileTheSiloDeactivatesItsGrains_IsStored(int silos)
    {
        var serviceId = Cluster.NewServiceId();
        var database = await TestDatabase.ConnectionStringAsync();
        var ended = new Ended();
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ServiceId = serviceId;
        builder.ConfigureSilo((_, silo) => silo.AddLeases(database, options => options.SweeperShards = 1).Services.AddSingleton(ended));
        builder.ConfigureClient(client => client.AddLeases());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var where = await cluster.Client.GetGrain<IHolder>("h").HoldAsync(Leases);
        var silo = cluster.Silos.Single(silo => silo.SiloAddress.ToString() == where);
        // Of those who do not release them.
        var ofClient = await cluster.Client.ServiceProvider.GetRequiredService<LeaseClient>().AcquireAsync("of the client");
        var ofSilo = await cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<LeaseClient>().AcquireAsync("of the silo");

        await cluster.StopClusterClientAsync().WaitAsync(Calls.WaitTimeout);
        Assert.Equal(1, await FreeAsync());
        await cluster.StopSiloAsync(silo).WaitAsync(Calls.WaitTimeout);

        Assert.All(
            [ofClient, ofSilo],
            lease => Assert.EndsWith("was given back, since its host has stopped.", lease.Loss?.Detail, StringComparison.Ordinal));

        Assert.Equal(Enumerable.Repeat((Refusal?)null, Leases), ended.Releases);
        if (silos > 1) Assert.Null(ended.Other);
        else Assert.StartsWith("This silo is stopping", Assert.IsType<Refusal.Unavailable>(ended.Other).Detail, StringComparison.Ordinal);
        Assert.True(ended.WasHeld);
        Assert.Equal(Leases + 3, await FreeAsync());

        Task<long> FreeAsync() =>
            Sql.ScalarAsync<long>(database, "select count(*) from leases where service_id = $1 and not held", serviceId);
    }

    /// <summary>How the releases of a grain ended that is gone.</summary>
    internal sealed class Ended
    {
        public List<Refusal?> Releases { get; } = [];

        /// <summary>What an acquire was refused with; null where it was granted.</summary>
        public Refusal? Other { get; set; }

        /// <summary>Whether a handle of the silo was valid until then.</summary>
        public bool WasHeld { get; set; }
    }
}

/// <summary>Holds leases for as long as it is active.</summary>
public interface IHolder : IGrainWithStringKey
{
    /// <summary>Acquires so many.</summary>
    /// <returns>The silo that it is active on.</returns>
    Task<string> HoldAsync(int leases);
}

/// <inheritdoc cref="IHolder"/>
internal sealed class Holder(
    ILeaseService leases, LeaseClient client, StoppingSiloTests.Ended ended, ILocalSiloDetails silo) : Grain, IHolder
{
    private readonly List<LeaseGrant> _held = [];
    private LeaseHandle? _handle;

    public async Task<string> HoldAsync(int count)
    {
        for (var i = 0; i < count; i++) _held.Add((await leases.AcquireAsync(Acquire($"held/{i}", "me"))).Value);
        _handle = await client.AcquireAsync("of the grain");
        return silo.SiloAddress.ToString();
    }

    // Where nothing was changed callers repeat, as they are asked to: a lease's grain may be moving from this silo to another.
    private async Task<LeaseResult<LeaseRelease>> ReleaseAsync(LeaseGrant grant, CancellationToken cancellationToken)
    {
        while (true)
        {
            var release = await leases.ReleaseAsync(Release(grant), cancellationToken);
            if (release.Refusal is not Refusal.Unavailable) return release;
            await Task.Yield();
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        foreach (var grant in _held) ended.Releases.Add((await ReleaseAsync(grant, cancellationToken)).Refusal);
        ended.WasHeld = _handle!.IsValid();
        ended.Other = (await leases.AcquireAsync(Acquire("other", "me"), cancellationToken)).Refusal;
    }
}
