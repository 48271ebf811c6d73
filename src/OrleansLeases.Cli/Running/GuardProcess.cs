using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.Versioning;
using OrleansLeases.Cli.Connecting;

namespace OrleansLeases.Cli.Running;

/// <summary>
/// The renewer's end of its guard: a child process that receives each deadline through one pipe and reports through another.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class GuardProcess : IDisposable
{
    private readonly Process _process;
    private readonly AnonymousPipeServerStream _orderPipe;
    private readonly AnonymousPipeServerStream _reportPipe;
    private readonly AnonymousPipeServerStream _life;
    private readonly StreamWriter _orders;
    private readonly Lock _writing = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GuardProcess(
        Process process, AnonymousPipeServerStream orders, AnonymousPipeServerStream reports, AnonymousPipeServerStream life)
    {
        _process = process;
        Group = process.Id;
        _orderPipe = orders;
        _reportPipe = reports;
        _life = life;
        _orders = new(orders) { AutoFlush = true };
        Finished = FinishAsync();
    }

    /// <summary>The process group of the command, which the guard leads.</summary>
    public int Group { get; }

    /// <summary>Completes once the guard can start the command, or has ended.</summary>
    public Task Ready => _ready.Task;

    /// <summary>The guard's last word once it has ended; null where it ended without one.</summary>
    public Task<GuardMessage?> Finished { get; }

    /// <summary>Starts a guard, which waits for the lease; it ends by itself if this process does.</summary>
    /// <param name="command">The command.</param>
    /// <param name="resource">What is leased.</param>
    /// <param name="owner">Who holds it.</param>
    /// <param name="ttl">For how long.</param>
    /// <param name="passCredential">Whether the command finds the credential of this process in its environment.</param>
    public static GuardProcess Start(IEnumerable<string> command, string resource, string owner, TimeSpan ttl, bool passCredential)
    {
        var orders = new AnonymousPipeServerStream(PipeDirection.Out, HandleInheritability.Inheritable);
        var reports = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        var life = GoOnAtItsEnd();
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false };

        // Under `dotnet leases.dll` the process is dotnet, and the first argument names what it runs.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
        {
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "leases.dll"));
        }

        string[] pipes = [orders.GetClientHandleAsString(), reports.GetClientHandleAsString(), life.GetClientHandleAsString()];
        foreach (var argument in Guard.Arguments(ttl, pipes, command)) start.ArgumentList.Add(argument);
        start.Environment["LEASE_RESOURCE"] = resource;
        start.Environment["LEASE_OWNER"] = owner;
        if (!passCredential)
        {
            string[] own = [Credential.Variable, Credential.FileVariable, ClientCertificate.Variable, ClientCertificate.KeyVariable];
            foreach (var variable in own) start.Environment.Remove(variable);
        }

        var process = Process.Start(start)!;

        // Only then does each side see the pipe close when the other one dies.
        orders.DisposeLocalCopyOfClientHandle();
        reports.DisposeLocalCopyOfClientHandle();
        life.DisposeLocalCopyOfClientHandle();
        return new(process, orders, reports, life);
    }

    public void Tell(GuardMessage order)
    {
        try
        {
            lock (_writing) _orders.WriteLine(order.Line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The guard has ended; Finished completes then.
        }
    }

    /// <summary>Has the guard end: it takes the closing of the pipe for this process's death.</summary>
    public void Dismiss() => _orderPipe.Dispose();

    public void Dispose()
    {
        Dismiss();
        _reportPipe.Dispose();
        _life.Dispose();
        _process.Dispose();
    }

    /// <summary>
    /// Makes a pipe that is never written to. When the guard ends, which has its other end, the kernel continues this process, should
    /// it be stopped: a guard that was killed continues nobody, and who waits for this process would wait for ever.
    /// </summary>
    private static AnonymousPipeServerStream GoOnAtItsEnd()
    {
        var life = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        var reader = (int)life.SafePipeHandle.DangerousGetHandle();
        // Where the kernel does not do it, the user continues the job.
        _ = Linux.Control(reader, Linux.SetEventOwner, Environment.ProcessId);
        _ = Linux.Control(reader, Linux.SetEventSignal, Linux.SigCont);
        _ = Linux.Control(reader, Linux.SetStatusFlags, Linux.SignalEvents);
        return life;
    }

    private bool HasGuardEnded() => Linux.HasHungUp((int)_life.SafePipeHandle.DangerousGetHandle());

    private async Task<GuardMessage?> FinishAsync()
    {
        using var reports = new StreamReader(_reportPipe, leaveOpen: true);
        GuardMessage? last = null;
        while (await reports.ReadLineAsync() is { } line)
        {
            switch (GuardMessage.Parse(line))
            {
                case GuardMessage.Ready:
                    _ready.SetResult();
                    break;
                case GuardMessage.Stopped:
                    Job.StopAlong(Group, HasGuardEnded);
                    Tell(new GuardMessage.Continue());
                    break;
                case var other:
                    last = other;
                    break;
            }
        }

        _ready.TrySetResult();
        await _process.WaitForExitAsync();
        return last;
    }
}
