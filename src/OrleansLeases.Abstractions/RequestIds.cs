namespace OrleansLeases;

/// <summary>The ids of requests whose callers gave none.</summary>
internal static class RequestIds
{
    /// <summary>Makes one that nobody has.</summary>
    public static string New() => Guid.NewGuid().ToString("N");
}
