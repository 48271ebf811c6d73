namespace OrleansLeases.Bench.Names;

/// <summary>A service on a store whose size can be read.</summary>
internal interface INamesStore : IAsyncDisposable
{
    /// <summary>For how long names are kept, but those under <c>kept/</c>.</summary>
    static readonly TimeSpan Retain = TimeSpan.FromMinutes(1);

    ILeaseService Leases { get; }

    /// <summary>How many names have a record.</summary>
    Task<long> CountAsync();

    /// <summary>Has the store give back what it keeps for names that come, where an operator may do that.</summary>
    Task CompactAsync();

    /// <summary>What the store takes of the disk, in bytes.</summary>
    Task<long> SizeAsync();
}
