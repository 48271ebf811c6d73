using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Stops a silo that has long been unable to claim leases: it would go on to be given its share of the grains, and so
/// keep their names from everyone. Whoever supervises it starts it again, and it says why it cannot.
/// </summary>
internal sealed partial class LastingTrouble(
    LeaseStorage storage, TimeProvider time, IHostApplicationLifetime application, ILogger<LastingTrouble> logger) : BackgroundService
{
    private const int Patience = 3;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var troubled = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(LookEvery, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var unfit = storage.Store.Trouble is { Kind: StorageTroubleKind.Unfit } trouble ? trouble.Reason : null;
            troubled = unfit is null ? 0 : troubled + 1;
            if (troubled < Patience || unfit is null) continue;
            LogStopped(logger, unfit);
            application.StopApplication();
            return;
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The silo stops, so that others take its leases over: {Trouble}")]
    private static partial void LogStopped(ILogger logger, string trouble);
}
