namespace OrleansLeases.Cli;

/// <summary>The exit codes of the command.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>Held by another, or the wait ran out.</summary>
    public const int Held = 3;

    /// <summary>The lease was lost: the caller is not, or no longer, its holder.</summary>
    public const int Lost = 4;

    /// <summary>The server cannot be reached, or its answer is not known.</summary>
    public const int NoAnswer = 5;

    /// <summary>As shells have it: the command was found but cannot be run.</summary>
    public const int NotExecutable = 126;

    /// <summary>As shells have it: there is no such command.</summary>
    public const int NotFound = 127;

    /// <summary>As shells have it for SIGPIPE: the reader of the output has gone.</summary>
    public const int NobodyReads = 141;

    public static int Of(Refusal refusal) => refusal.Code switch
    {
        RefusalCode.InvalidRequest => WrongUsage,
        RefusalCode.Held => Held,
        RefusalCode.NotHolder => Lost,
        RefusalCode.OutcomeUnknown or RefusalCode.Unavailable => NoAnswer,
        _ => Failed,
    };
}
