namespace OrleansLeases.Gateway;

/// <summary>Where the gateway records what its callers change, and what they are refused for lack of rights.</summary>
public sealed class LeaseAuditOptions
{
    /// <summary>A file of JSON lines, an <see cref="AuditRecord"/> each, for its owner alone; null, the default, for none.</summary>
    /// <value>
    /// Each server has a file of its own. When it is full, it gets the next number behind its name, <c>audit.jsonl.000001</c>, and a new
    /// one is begun. What is in the queue when the process is killed is not in it; at a shutdown all is.
    /// </value>
    public string? File { get; set; }

    /// <summary>When a file is full, in bytes.</summary>
    /// <value>64 MiB by default; 1 MiB to 1 TiB.</value>
    public long MaxFileBytes { get; set; } = 64L << 20;

    /// <summary>How many full files are kept besides the one that is written; the oldest are deleted.</summary>
    /// <value>16 by default; 1 to 10,000.</value>
    public int KeptFiles { get; set; } = 16;

    internal void Check()
    {
        if (MaxFileBytes is < 1L << 20 or > 1L << 40)
            throw new ArgumentException($"{nameof(MaxFileBytes)} is {MaxFileBytes}; it takes 1048576 to 1099511627776 bytes.");
        if (KeptFiles is < 1 or > 10_000) throw new ArgumentException($"{nameof(KeptFiles)} is {KeptFiles}; it takes 1 to 10000.");
    }
}
