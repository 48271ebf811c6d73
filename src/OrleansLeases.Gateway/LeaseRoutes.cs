using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Batches;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Dashboard;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Keys;
using OrleansLeases.Gateway.Leases;
using OrleansLeases.Gateway.Metrics;
using OrleansLeases.Gateway.OpenApi;
using OrleansLeases.Gateway.Proofs;
using OrleansLeases.Gateway.Service;
using OrleansLeases.Gateway.Watching;

namespace OrleansLeases.Gateway;

/// <summary>The routes of the wire contract, over the services of a host. It has one, so that bounds hold for all that it maps.</summary>
internal sealed class LeaseRoutes
{
    private readonly Entrance _entrance;
    private readonly LeaseChanges _changes;
    private readonly LeaseReads _reads;
    private readonly BatchEndpoint _batch;
    private readonly KeyHandlers _keys;
    private readonly WatchEndpoint _watch;
    private readonly ServiceReads _service;
    private readonly AccessEndpoints _access;
    private readonly GrantProofs _proofs;
    private readonly ProofKeyEndpoint _proofKeys;
    private readonly IMetricsPage? _metrics;
    private readonly IApiPage? _apiPage;

    public LeaseRoutes(IServiceProvider provider)
    {
        var leases = provider.GetRequiredService<ILeaseService>();
        var loggers = provider.GetRequiredService<ILoggerFactory>();
        var stopping = provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var memory = new MemoryWatch();
        var calls = new ServiceCalls(leases, loggers.CreateLogger<ServiceCalls>(), memory, stopping);
        var options = provider.GetRequiredService<IOptions<LeaseGatewayOptions>>().Value;
        var callers = new CallerCheck(options, provider.GetService<IServer>());
        var time = provider.GetService<TimeProvider>() ?? TimeProvider.System;
        var audit = provider.GetService<AuditLog>() ?? (options.Authenticate is null ? null : new AuditLog(loggers, time));
        var authentication = audit is null ? null : new Authentication(options.Authenticate, leases, audit);
        var bounds = BoundsOf(options, time, loggers);
        var traces = options.Authenticate is null ? null : provider.GetService<CallerTraces>();
        _entrance = new Entrance(callers, authentication, traces, bounds, memory, loggers.CreateLogger<Entrance>());
        var delivery = new GrantDelivery(leases, loggers.CreateLogger<GrantDelivery>());
        _proofs = new GrantProofs(provider.GetService<IServiceRecords>(), time, loggers.CreateLogger<GrantProofs>());
        _changes = new LeaseChanges(calls, delivery, _proofs, bounds);
        _reads = new LeaseReads(calls);
        _batch = new BatchEndpoint(calls, delivery, bounds);
        _keys = new KeyHandlers(calls);
        _watch = new WatchEndpoint(calls, bounds, time);
        _service = new ServiceReads(calls, _proofs);
        _proofKeys = new ProofKeyEndpoint(_proofs, calls);
        _metrics = provider.GetService<IMetricsPage>();
        _apiPage = provider.GetService<IApiPage>();
        _access = new AccessEndpoints(provider.GetService<LeaseAccessExtensions.AccessKeys>(), calls);
    }

    /// <summary>Maps what a client of leases calls.</summary>
    public void MapCalls(IEndpointRouteBuilder endpoints) => Calls(_entrance.Before(endpoints));

    /// <summary>Maps the page alone.</summary>
    public void MapDashboard(IEndpointRouteBuilder endpoints) => DashboardEndpoints.Map(_entrance.Before(endpoints));

    /// <summary>Maps what a server of leases alone answers, which is every path.</summary>
    public void MapAll(IEndpointRouteBuilder endpoints)
    {
        var behind = _entrance.Before(endpoints);
        Contract(behind);
        DocumentEndpoint.Map(behind, Contract);
        DashboardEndpoints.Map(behind);
        if (_metrics is not null) MetricsEndpoint.Map(behind, _metrics);
        _apiPage?.Map(behind).WithMetadata(OpenToAll.Instance);
        UnknownPath.Map(behind);
    }

    private static GatewayBounds BoundsOf(LeaseGatewayOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger<MemoryBound>();
        var memory = new MemoryBound(
            options.MaxMemoryPercent,
            MemoryBound.OfProcess,
            static () => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false),
            time,
            logger);
        return new GatewayBounds(MostOpen.Of(options), memory, loggers);
    }

    private void Contract(IEndpointRouteBuilder endpoints)
    {
        Calls(endpoints);
        ServiceEndpoints.MapHealth(endpoints, _service);
    }

    private void Calls(IEndpointRouteBuilder endpoints)
    {
        LeaseEndpoints.Map(endpoints, _changes, _reads);
        BatchEndpoint.Map(endpoints, _batch);
        KeyEndpoints.Map(endpoints, _keys);
        WatchEndpoint.Map(endpoints, _watch);
        ServiceEndpoints.MapInfo(endpoints, _service);
        ServiceEndpoints.MapMembers(endpoints, _service);
        AccessEndpoints.Map(endpoints, _access);
        ProofKeyEndpoint.Map(endpoints, _proofKeys);
        GrantProofs.Map(endpoints, _proofs);
    }
}
