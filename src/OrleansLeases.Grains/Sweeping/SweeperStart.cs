using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OrleansLeases.Grains;

/// <summary>
/// Sees to it that every shard is being swept, wherever: each silo asks for all of them again and again, so that those of
/// a silo that went down are soon on another.
/// </summary>
internal sealed partial class SweeperStart(
    IGrainFactory grains, IOptions<LeaseSiloOptions> options, TimeProvider time, ILogger<SweeperStart> logger) : BackgroundService
{
    // A silo that leaves, wherever, takes its sweepers with it, and they are soon elsewhere.
    private const int Patience = 3;

    private int[] _failures = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        _failures = new int[options.Value.SweeperShards];
        try
        {
            while (true)
            {
                await Task.WhenAll(Enumerable.Range(0, options.Value.SweeperShards).Select(shard => StartAsync(shard, stoppingToken)))
                    .WaitAsync(stoppingToken);
                await Task.Delay(LeaseSweeperGrain.Period, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task StartAsync(int shard, CancellationToken stoppingToken)
    {
        try
        {
            await grains.GetGrain<ILeaseSweeperGrain>(shard).StartAsync();
            _failures[shard] = 0;
        }
        catch (Exception error)
        {
            if (++_failures[shard] == Patience && !stoppingToken.IsCancellationRequested) LogNotStarted(logger, shard, Patience, error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sweeper of shard {Shard} did not answer {Times} times in a row; trying on.")]
    private static partial void LogNotStarted(ILogger logger, int shard, int times, Exception error);
}
