using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>This process as a job of a shell. The shell knows it, and not the group of the command.</summary>
[SupportedOSPlatform("linux")]
internal static class Job
{
    /// <summary>
    /// Called when the command has stopped. Gives it the terminal where that is this job's; otherwise stops as well, so that the
    /// shell sees it and nobody renews, and returns once the job goes on. The command is to go on then.
    /// </summary>
    public static void StopAlong(int commandGroup)
    {
        var own = Linux.GetProcessGroup();
        if (!Terminal.IsInForeground()) Stop();
        Terminal.Pass(from: own, to: commandGroup);
    }

    private static void Stop()
    {
        // Without a terminal there is no shell that waits for the others.
        if (!Terminal.Exists)
        {
            _ = Linux.Raise(Linux.SigStop);
            return;
        }

        // As Ctrl-Z does, the rest of a pipeline too. Where nobody could make the job go on, the kernel lets it be.
        var handler = Linux.OnSignal(Linux.SigTstp, Linux.IgnoreSignal);
        _ = Linux.Kill(0, Linux.SigTstp);
        _ = Linux.OnSignal(Linux.SigTstp, handler);
        _ = Linux.Raise(Linux.SigTstp);
    }
}
