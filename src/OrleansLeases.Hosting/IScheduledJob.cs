namespace OrleansLeases.Hosting;

/// <summary>A job with services of its own, made for each run.</summary>
public interface IScheduledJob
{
    /// <summary>Runs the job for one tick.</summary>
    /// <param name="run">The run, with its tick and its fencing token.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the lease is lost, the time limit has passed or the host stops. The job is awaited nevertheless.
    /// </param>
    /// <returns>Completes when the run has ended. An exception is logged; the job is started again at its next tick.</returns>
    Task RunAsync(ScheduledRun run, CancellationToken cancellationToken);
}
