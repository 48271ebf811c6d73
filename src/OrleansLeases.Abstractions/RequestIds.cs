namespace OrleansLeases;

/// <summary>Ids for requests without one.</summary>
internal static class RequestIds
{
    /// <summary>Makes a new id, unique and random.</summary>
    public static string New() => Guid.NewGuid().ToString("N");
}
