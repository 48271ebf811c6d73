using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>What a reader may expect of every file of code.</summary>
public sealed class SourceTests
{
    private const int LongestLine = 140;
    private static readonly string[] Folders = ["src", "tests", "bench", "samples"];
    private static readonly string[] Made = ["bin", "obj"];
    private static readonly string[] Kinds = ["*.cs", "*.js", "*.css"];

    [Fact]
    public void Lines_OfCode_FitTheScreen() => Assert.Empty(
        from folder in Folders
        from kind in Kinds
        from file in Directory.EnumerateFiles(Repository.PathOf(folder), kind, SearchOption.AllDirectories)
        where !Path.GetRelativePath(Repository.Root, file).Split(Path.DirectorySeparatorChar).Intersect(Made).Any()
        from line in File.ReadLines(file).Index()
        where line.Item.Length > LongestLine
        select $"{Path.GetRelativePath(Repository.Root, file)}:{line.Index
            + 1} has {line.Item.Length} characters; break it at {LongestLine}.");
}
