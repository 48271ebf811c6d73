namespace OrleansLeases.Storage;

/// <summary>A problem of a store. The service is not ready while it lasts. Immutable.</summary>
/// <param name="Kind">How the service treats it.</param>
/// <param name="Reason">The problem and its remedy, as callers read it.</param>
public sealed record StorageTrouble(StorageTroubleKind Kind, string Reason);

/// <summary>How the service treats a problem of its store.</summary>
public enum StorageTroubleKind
{
    /// <summary>The store does not respond, or refuses calls; it may recover without help.</summary>
    Away = 1,

    /// <summary>The clock of this process cannot be verified: it loads no record, and another process might not do better.</summary>
    Blind = 2,

    /// <summary>This process must load no record, but another may: a silo stops if it lasts.</summary>
    Unfit = 3,
}
