using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OrleansLeases.Grains;

/// <summary>
/// Keeps the sweeper of every shard active on some silo: each silo calls all of them every period, so those of a silo that went
/// down are soon activated on another.
/// </summary>
internal sealed partial class SweeperStarter(
    IGrainFactory grains, IOptions<LeaseSiloOptions> options, TimeProvider time, ILogger<SweeperStarter> logger) : BackgroundService
{
    // When a silo leaves, its sweepers fail once or twice until they are activated on another.
    private const int FailuresBeforeWarning = 3;

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
            if (++_failures[shard] == FailuresBeforeWarning && !stoppingToken.IsCancellationRequested)
                LogNotStarted(logger, shard, FailuresBeforeWarning, error);
        }
    }

    [LoggerMessage(7433, LogLevel.Warning, "The sweeper of shard {Shard} did not answer {Times} times in a row; trying on.")]
    private static partial void LogNotStarted(ILogger logger, int shard, int times, Exception error);
}
