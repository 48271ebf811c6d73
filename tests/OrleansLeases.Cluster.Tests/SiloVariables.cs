using System.ComponentModel;
using OrleansLeases.Silo;

namespace OrleansLeases.Cluster.Tests;

/// <summary>Variables by which what is deployed configures <c>leases-silo</c>.</summary>
internal static class SiloVariables
{
    private const string Prefix = "LEASES_";

    /// <summary>Fails for a variable that is no setting, or whose value, if it is known, is none of it.</summary>
    public static void Check(string name, string? value)
    {
        Assert.StartsWith(Prefix, name, StringComparison.Ordinal);
        var type = typeof(SiloSettings);
        foreach (var part in name[Prefix.Length..].Split("__"))
            type = type.GetProperty(part)?.PropertyType ?? throw new InvalidOperationException($"{name} is no setting.");
        if (value is not null) TypeDescriptor.GetConverter(type).ConvertFromInvariantString(value);
    }
}
