using System.Text.RegularExpressions;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>What a reader may expect of every file of code.</summary>
public sealed partial class SourceTests
{
    private const int LongestLine = 140;
    private const int LongestFunction = 70;
    private static readonly string[] Folders = ["src", "tests", "bench", "samples"];
    private static readonly string[] Made = ["bin", "obj"];
    private static readonly string[] Kinds = ["*.cs", "*.js", "*.css"];

    [Fact]
    public void Lines_OfCode_FitTheScreen() => Assert.Empty(
        from file in Files(Folders, Kinds)
        from line in File.ReadLines(file).Index()
        where line.Item.Length > LongestLine
        select $"{Path.GetRelativePath(Repository.Root, file)}:{line.Index
            + 1} has {line.Item.Length} characters; break it at {LongestLine}.");

    [Fact]
    public void Functions_OfTheLibraries_AreShort() => Assert.Empty(
        from file in Files(["src"], ["*.cs"])
        from function in Functions(File.ReadAllLines(file))
        where function.Lines > LongestFunction
        select $"{Path.GetRelativePath(Repository.Root, file)}:{function.At} has a function of {function.Lines} lines; split it at "
            + $"{LongestFunction}.");

    private static IEnumerable<string> Files(string[] folders, string[] kinds) =>
        from folder in folders
        from kind in kinds
        from file in Directory.EnumerateFiles(Repository.PathOf(folder), kind, SearchOption.AllDirectories)
        where !Path.GetRelativePath(Repository.Root, file).Split(Path.DirectorySeparatorChar).Intersect(Made).Any()
        select file;

    // By the layout, which the formatter sees to: a block in braces whose head has parameters, and is no type and no property.
    private static IEnumerable<(int At, int Lines)> Functions(string[] lines)
    {
        for (var open = 1; open < lines.Length; open++)
        {
            var indent = lines[open].Length - 1;
            if (indent < 0 || lines[open] != new string(' ', indent) + "{") continue;
            var first = open;
            while (first > 0 && IsOfHead(lines[first - 1], indent)) first--;
            var head = string.Join(' ', lines[first..open]);
            if (!head.Contains('(') || NoFunction().IsMatch(head)) continue;
            var close = Array.FindIndex(lines, open, line => line.StartsWith(new string(' ', indent) + "}", StringComparison.Ordinal));
            yield return (first + 1, close - first + 1);
        }
    }

    private static bool IsOfHead(string line, int indent) =>
        line.Length > indent && string.IsNullOrWhiteSpace(line[..indent]) && line[indent] is not ('/' or '[' or '}')
        && line[^1] is not (';' or '{');

    [GeneratedRegex(@"(?<!where \w+ : )\b(class|record|struct|interface|enum|namespace)\b|\{ get;")]
    private static partial Regex NoFunction();
}
