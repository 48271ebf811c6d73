using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Stops a silo that has been unable to claim leases at three checks in a row: Orleans would go on placing grains on it, and nobody
/// could acquire their resources. The log says why it stops; its supervisor starts it again.
/// </summary>
internal sealed partial class StorageHealthWatchdog(
    LeaseStorage storage, TimeProvider time, IHostApplicationLifetime application, ILogger<StorageHealthWatchdog> logger)
    : BackgroundService
{
    private const int UnfitChecksBeforeStop = 3;
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var unfitChecks = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(CheckInterval, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var unfit = storage.Store.Trouble is { Kind: StorageTroubleKind.Unfit } trouble ? trouble.Reason : null;
            unfitChecks = unfit is null ? 0 : unfitChecks + 1;
            if (unfitChecks < UnfitChecksBeforeStop || unfit is null) continue;
            LogStopped(logger, unfit);
            application.StopApplication();
            return;
        }
    }

    [LoggerMessage(7411, LogLevel.Critical, "The silo stops, so that others take its leases over: {Trouble}")]
    private static partial void LogStopped(ILogger logger, string trouble);
}
