using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;

namespace OrleansLeases.Hosting.Tests.Support;

/// <summary>What the services of one host do, for its test.</summary>
internal sealed class Exports(string host, ConcurrentQueue<Export> all)
{
    public string Host { get; } = host;

    /// <summary>What a service does next: by default it works until it is asked to stop.</summary>
    public Func<CancellationToken, Task> Work { get; set; } =
        static stop => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);

    /// <summary>What an override of the start does after the service has started.</summary>
    public Func<Task>? Started { get; set; }

    /// <summary>What an override of the stop does before the service is asked to stop.</summary>
    public Action? Stopping { get; set; }

    public Export Begin(long token)
    {
        var export = new Export(Host, token);
        all.Enqueue(export);
        return export;
    }
}

/// <summary>One run of a service.</summary>
internal sealed record Export(string Host, long Token)
{
    public volatile bool IsRunning = true;
}

/// <summary>A service that runs on one instance at a time.</summary>
internal sealed class Exporter(Exports exports, LeaderTerm term) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        if (exports.Started is { } started) await started();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        exports.Stopping?.Invoke();
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var export = exports.Begin(term.Token);
        try
        {
            await exports.Work(stoppingToken);
        }
        finally
        {
            export.IsRunning = false;
        }
    }
}
