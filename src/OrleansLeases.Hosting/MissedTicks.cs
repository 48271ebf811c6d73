namespace OrleansLeases.Hosting;

/// <summary>What is done about ticks of a job that could not be started in time.</summary>
public enum MissedTicks
{
    /// <summary>They are not made up for: the job is started at the next tick. The default.</summary>
    Skip = 0,

    /// <summary>The job is started once for all of them, as soon as that is possible.</summary>
    Once = 1,
}
