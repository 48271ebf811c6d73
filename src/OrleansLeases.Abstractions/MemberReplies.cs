using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>The processes that a service consists of: the silos of a cluster, or one process.</summary>
public sealed record MemberList
{
    /// <summary>The members, in the order of their names.</summary>
    public required IReadOnlyList<ServiceMember> Members { get; init; }
}

/// <summary>One process of a service, as it was when it was asked.</summary>
public sealed record ServiceMember
{
    /// <summary>The name of the silo, or of the machine where there is one process.</summary>
    public required string Name { get; init; }

    /// <summary>Where the other silos reach it; absent where there is one process.</summary>
    public string? Address { get; init; }

    /// <summary>How it is.</summary>
    public required MemberState State { get; init; }

    /// <summary>Why it takes no calls, or did not answer; absent where it takes calls.</summary>
    public string? Detail { get; init; }

    /// <summary>The version of its software; absent where it did not answer.</summary>
    public string? Version { get; init; }

    /// <summary>
    /// How far its clock is ahead of the store's; negative where it is behind. Absent where it did not answer or nothing is compared.
    /// </summary>
    [JsonPropertyName("clockOffsetMs")]
    public TimeSpan? ClockOffset { get; init; }

    /// <summary>How many leases it has in memory that are in force; absent where it did not answer.</summary>
    public long? Held { get; init; }

    /// <summary>How many requests wait in its queues; absent where it did not answer.</summary>
    public long? Waiters { get; init; }

    /// <summary>How many leases and keys have a record; absent where the members share a database, which is asked itself.</summary>
    public long? Records { get; init; }

    /// <summary>What its store takes of the disk, in bytes; absent where there is no disk, or the members share a database.</summary>
    public long? DiskBytes { get; init; }
}

/// <summary>How a member of a service is.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<MemberState>))]
public enum MemberState
{
    /// <summary>It takes calls.</summary>
    Ready = 0,

    /// <summary>It runs and takes no calls: its store cannot be used, or its clock is off.</summary>
    NotReady = 1,

    /// <summary>It joins the cluster.</summary>
    Starting = 2,

    /// <summary>It leaves the cluster.</summary>
    Stopping = 3,

    /// <summary>It is taken for alive and did not answer within 2 s.</summary>
    Silent = 4,
}
