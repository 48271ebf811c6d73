using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>A lease that an agent holds.</summary>
/// <param name="Handle">The lease.</param>
internal sealed record AgentLease(LeaseHandle Handle)
{
    /// <summary>The version of the key by which it has claimed the task of the same name; null where it is no task.</summary>
    public long? Claim { get; init; }
}

/// <summary>A lease that an agent has lost and may still believe to hold.</summary>
internal sealed record LostLease(string Resource, long Token, LeaseLoss Loss);
