using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>The projects in <c>src/</c> that need no Orleans package.</summary>
internal static class Libraries
{
    /// <summary>Those that are referenced, by name.</summary>
    public static string[] All { get; } =
    [
        .. Directory.GetDirectories(Repository.PathOf("src"), "OrleansLeases.*")
            .Select(folder => Path.GetFileName(folder)!)
            .Where(name => File.Exists(Repository.PathOf("src", name, $"{name}.csproj")))
            .Where(name => name is not "OrleansLeases.Cli" and not "OrleansLeases.Silo" && !name.StartsWith("OrleansLeases.Grain", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];
}
