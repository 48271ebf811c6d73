using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;

namespace OrleansLeases.Client.Internal;

/// <summary>The clients that a host has made. Thread-safe.</summary>
internal sealed class HostedClients
{
    private readonly ConcurrentBag<LeaseClient> _clients = [];

    public LeaseClient Add(LeaseClient client)
    {
        _clients.Add(client);
        return client;
    }

    public Task ReleaseAllAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_clients.Select(client => client.ReleaseAllAsync(cancellationToken)));
}

/// <summary>Gives back what the clients of a host hold, once all of its services have stopped: before that they may rely on it.</summary>
internal sealed class HostedClientsEnd(HostedClients clients) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => clients.ReleaseAllAsync(cancellationToken);
}
