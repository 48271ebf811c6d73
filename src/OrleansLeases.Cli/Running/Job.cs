using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>This process as a job of a shell. The shell knows it, and not the group of the command.</summary>
[SupportedOSPlatform("linux")]
internal static class Job
{
    // A signal that has come is handled by a thread that the runtime starts for it; a stopped process starts none.
    private static readonly TimeSpan HandlerTime = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Called when the command has stopped. Gives it the terminal where that is this job's; otherwise stops as well, so that the
    /// shell sees it and nobody renews, and returns once the job goes on. The command is to go on then.
    /// </summary>
    /// <param name="commandGroup">The process group of the command.</param>
    /// <param name="isOver">Whether the guard has ended, which would have this process continue when the command does.</param>
    public static void StopAlong(int commandGroup, Func<bool> isOver)
    {
        var own = Linux.GetProcessGroup();
        if (!Terminal.IsInForeground()) Stop(isOver);
        Terminal.Pass(from: own, to: commandGroup);
    }

    /// <summary>
    /// Stops, unless somebody wants the job to go on by then. A shell, <c>timeout</c> and systemd end a job by SIGTERM and then SIGCONT:
    /// where both come while it runs, and it stopped then, it would have missed them.
    /// </summary>
    private static void Stop(Func<bool> isOver)
    {
        // As Ctrl-Z does, the rest of a pipeline too.
        if (Terminal.Exists)
        {
            var handler = Linux.OnSignal(Linux.SigTstp, Linux.IgnoreSignal);
            _ = Linux.Kill(0, Linux.SigTstp);
            _ = Linux.OnSignal(Linux.SigTstp, handler);
        }

        // SIGTSTP is blocked from here on, and pending. The kernel drops it with each SIGCONT, be it the shell's or the guard's: so no
        // answer to the questions below changes unnoticed.
        Linux.Hold(Linux.SigTstp);
        _ = Linux.Raise(Linux.SigTstp);
        var stops = !SpinWait.SpinUntil(isOver, HandlerTime) && !Terminal.IsInForeground() && Linux.IsHeld(Linux.SigTstp);
        if (!stops || !Terminal.Exists) Linux.Discard(Linux.SigTstp);

        // Where nobody could make the job go on, the kernel lets it be.
        Linux.Release(Linux.SigTstp);

        // Without a terminal there is no shell that waits for the others, and the kernel would let it be.
        if (stops && !Terminal.Exists) _ = Linux.Raise(Linux.SigStop);

        // A SIGCONT to this process alone is meant for the whole job.
        if (Terminal.Exists) _ = Linux.Kill(0, Linux.SigCont);
    }
}
