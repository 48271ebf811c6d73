using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OrleansLeases.Grains;

/// <summary>
/// Sees to it that every shard is being swept, wherever: each silo asks for all of them again and again, so that those of
/// a silo that went down are soon on another.
/// </summary>
internal sealed partial class SweeperStart(IGrainFactory grains, IOptions<LeaseSiloOptions> options, TimeProvider time, ILogger<SweeperStart> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                await Task.WhenAll(Enumerable.Range(0, options.Value.SweeperShards).Select(StartAsync)).WaitAsync(stoppingToken);
                await Task.Delay(LeaseSweeperGrain.Period, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task StartAsync(int shard)
    {
        try
        {
            await grains.GetGrain<ILeaseSweeperGrain>(shard).StartAsync();
        }
        catch (Exception error)
        {
            LogNotStarted(logger, shard, error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sweeper of shard {Shard} did not answer; trying again.")]
    private static partial void LogNotStarted(ILogger logger, int shard, Exception error);
}
