using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OrleansLeases.Grains;

/// <summary>Sees to it that every shard has its reminder, once the silo is up.</summary>
internal sealed partial class SweeperStart(IGrainFactory grains, IOptions<LeaseSiloOptions> options, TimeProvider time, ILogger<SweeperStart> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        for (var shard = 0; shard < options.Value.SweeperShards;)
        {
            try
            {
                await grains.GetGrain<ILeaseSweeperGrain>(shard).StartAsync().WaitAsync(stoppingToken);
                shard++;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                LogNotStarted(logger, shard, error);
                try
                {
                    await Task.Delay(RetryAfter, time, stoppingToken);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The sweeper of shard {Shard} could not be started; trying again.")]
    private static partial void LogNotStarted(ILogger logger, int shard, Exception error);
}
