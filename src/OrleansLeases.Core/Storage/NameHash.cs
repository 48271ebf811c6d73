namespace OrleansLeases.Core;

/// <summary>FNV-1a of a name: the same in every process, unlike the hash codes of .NET.</summary>
internal static class NameHash
{
    public static uint Of(string name)
    {
        var hash = 2166136261u;
        foreach (var unit in name) hash = (hash ^ unit) * 16777619u;
        return hash;
    }
}
