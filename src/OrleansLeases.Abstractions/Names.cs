namespace OrleansLeases;

/// <summary>What the name of a resource or a key is: a path that every HTTP client and proxy leaves as it is.</summary>
internal static class Names
{
    /// <summary>The longest name, in bytes of UTF-8.</summary>
    public const int MaxBytes = 512;

    /// <summary>Finds the first segment that no name may have.</summary>
    /// <returns>An empty, <c>.</c> or <c>..</c> segment; null where there is none.</returns>
    public static string? BadSegmentOf(string name)
    {
        foreach (var range in name.AsSpan().Split('/'))
        {
            var segment = name.AsSpan(range);
            if (segment.Length == 0) return "";
            if (IsDots(segment)) return segment.ToString();
        }

        return null;
    }

    /// <summary>Whether HTTP takes a segment for a step in the path, and out of it.</summary>
    public static bool IsDots(ReadOnlySpan<char> segment) => segment is "." or "..";
}
