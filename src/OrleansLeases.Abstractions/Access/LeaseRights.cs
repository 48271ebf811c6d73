namespace OrleansLeases;

/// <summary>What a caller may do with the names below a prefix. The verbs of a rule in an access file.</summary>
[Flags]
public enum LeaseRights
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Read resources and keys: their state, their history, their listing, a watch of them.</summary>
    Read = 1,

    /// <summary>Acquire, renew, release and transfer leases, and bind keys to them.</summary>
    Hold = 2,

    /// <summary>Break the leases of others.</summary>
    Break = 4,

    /// <summary>Put, delete and add to keys.</summary>
    Keys = 8,

    /// <summary>Make, list and revoke API keys, on the whole service. Only a rule for the empty prefix gives it.</summary>
    Admin = 16,
}
