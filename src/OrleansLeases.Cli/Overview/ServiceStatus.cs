namespace OrleansLeases.Cli.Overview;

/// <summary>The service at a glance.</summary>
internal sealed record ServiceStatus
{
    public required IReadOnlyList<ServerHealth> Servers { get; init; }

    public required ServiceInfo Info { get; init; }

    /// <summary>The processes of the service; none where it did not say.</summary>
    public required IReadOnlyList<ServiceMember> Members { get; init; }

    /// <summary>Who asks; absent where the service did not say.</summary>
    public CallerInfo? Caller { get; init; }

    /// <summary>What is held of that which the caller may read; absent where that is nothing.</summary>
    public HeldNames? Leases { get; init; }
}
