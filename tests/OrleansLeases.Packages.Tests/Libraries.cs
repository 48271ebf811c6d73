using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>The libraries in <c>src/</c>.</summary>
internal static class Libraries
{
    /// <summary>All of them, by name: the commands are packed too, but referenced by nobody.</summary>
    public static string[] All { get; } =
    [
        .. Directory.GetDirectories(Repository.PathOf("src"), "OrleansLeases.*")
            .Select(folder => Path.GetFileName(folder)!)
            .Where(name => File.Exists(Repository.PathOf("src", name, $"{name}.csproj")))
            .Where(name => name is not "OrleansLeases.Cli" and not "OrleansLeases.Silo")
            .Order(StringComparer.Ordinal),
    ];
}
