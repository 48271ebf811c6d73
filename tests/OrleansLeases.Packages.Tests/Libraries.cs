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

    /// <summary>
    /// Those that applications use together. An app host's has tests of its own: nobody else takes the hundred packages of Aspire's.
    /// </summary>
    public static string[] OfApplications { get; } = [.. All.Where(name => name != "OrleansLeases.Hosting.Aspire")];
}
