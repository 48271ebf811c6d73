using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>A lease that an agent holds. Its session changes it.</summary>
/// <param name="handle">The lease.</param>
/// <param name="before">An earlier lease of the agent on the same resource, which it has lost and may still believe to hold.</param>
internal sealed class AgentLease(LeaseHandle handle, LostLease? before)
{
    /// <summary>The lease.</summary>
    public LeaseHandle Handle => handle;

    /// <summary>What the agent had lost when it acquired it anew; null where there was nothing.</summary>
    public LostLease? Before => before;

    /// <summary>The version of the key by which it has claimed the task of the same name; null where it is no task.</summary>
    public long? Claim { get; set; }

    /// <summary>How many calls are about to answer with it.</summary>
    public int Answers { get; set; }

    /// <summary>The agent has been told of it.</summary>
    public bool IsTold { get; set; }
}

/// <summary>A lease that an agent has lost and may still believe to hold.</summary>
internal sealed record LostLease(string Resource, long Token, LeaseLoss Loss);
