namespace OrleansLeases.Storage;

/// <summary>What is wrong with a store while it lasts; the service is not ready meanwhile.</summary>
/// <param name="Kind">What the service makes of it.</param>
/// <param name="Reason">What is wrong and what helps, in words for callers.</param>
public sealed record StorageTrouble(StorageTroubleKind Kind, string Reason);

/// <summary>What the service makes of a trouble.</summary>
public enum StorageTroubleKind
{
    /// <summary>It answers no calls, or refuses them by itself; that may pass by itself.</summary>
    Away = 1,

    /// <summary>Nothing vouches for this process' clock: it loads no record, but another process might fare no better.</summary>
    Blind = 2,

    /// <summary>This process must load no record, where another might: a silo stops if it lasts.</summary>
    Unfit = 3,
}
