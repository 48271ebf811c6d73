using System.Globalization;

namespace OrleansLeases.Cli.Running;

/// <summary>A message between the renewer and the guard, one line each.</summary>
internal abstract record GuardMessage
{
    private GuardMessage()
    {
    }

    /// <summary>The lease is granted: start the command.</summary>
    public sealed record Start(long Token, Deadline Deadline) : GuardMessage;

    /// <summary>The deadline has moved.</summary>
    public sealed record Until(Deadline Deadline) : GuardMessage;

    /// <summary>The lease is somebody else's, or nobody's.</summary>
    public sealed record Lost : GuardMessage;

    /// <summary>Pass a signal on to the command.</summary>
    public sealed record Forward(int Signal) : GuardMessage;

    /// <summary>Have the command go on, which had stopped.</summary>
    public sealed record Continue : GuardMessage;

    /// <summary>Report: the command has stopped, by a signal or by a terminal that it may not use.</summary>
    public sealed record Stopped : GuardMessage;

    /// <summary>Report: the kernel does not do what the guard relies on.</summary>
    public sealed record Unguarded : GuardMessage;

    /// <summary>Report: the guard is up and waits for the lease.</summary>
    public sealed record Ready : GuardMessage;

    /// <summary>Report: the command ended by itself, or could not be started, and this is its exit code.</summary>
    public sealed record Ended(int Code) : GuardMessage;

    /// <summary>Report: the guard ended the command because of the lease.</summary>
    public sealed record EndedForLease : GuardMessage;

    public string Line => this switch
    {
        Start start => Invariant($"start {start.Token} {start.Deadline.Timestamp}"),
        Until until => Invariant($"until {until.Deadline.Timestamp}"),
        Lost => "lost",
        Forward forward => Invariant($"signal {forward.Signal}"),
        Continue => "continue",
        Stopped => "stopped",
        Unguarded => "unguarded",
        Ready => "ready",
        Ended ended => Invariant($"ended {ended.Code}"),
        _ => "ended-for-lease",
    };

    /// <summary>Reads a line.</summary>
    /// <exception cref="FormatException">The other end speaks another language.</exception>
    public static GuardMessage Parse(string line) => line.Split(' ') switch
    {
        ["start", var token, var deadline] => new Start(Number(token), new(Number(deadline))),
        ["until", var deadline] => new Until(new(Number(deadline))),
        ["lost"] => new Lost(),
        ["signal", var signal] => new Forward((int)Number(signal)),
        ["continue"] => new Continue(),
        ["stopped"] => new Stopped(),
        ["unguarded"] => new Unguarded(),
        ["ready"] => new Ready(),
        ["ended", var code] => new Ended((int)Number(code)),
        ["ended-for-lease"] => new EndedForLease(),
        _ => throw new FormatException($"'{line}' is no message between renewer and guard."),
    };

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
