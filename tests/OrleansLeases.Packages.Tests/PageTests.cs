using System.Text.RegularExpressions;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>What pages and code say of each other.</summary>
public sealed partial class PageTests
{
    [Fact]
    public void EveryDecisionThatIsNamed_IsThere()
    {
        var decisions = DecisionHeading().Matches(Read("docs", "decisions.md")).Select(heading => heading.Groups[1].Value).ToList();
        var named =
            from file in Files("src", "tests", "docs", "sql")
            from Match name in DecisionName().Matches(File.ReadAllText(file))
            select (Decision: name.Groups[1].Value, File: Path.GetRelativePath(Repository.Root, file));

        Assert.Equal(decisions.Distinct(), decisions);
        Assert.True(named.Count() >= 20, "The pattern no longer finds what names a decision.");
        Assert.DoesNotContain(named, name => !decisions.Contains(name.Decision));
    }

    [Fact]
    public void EveryTypeAndMemberOfTheArchitecture_IsInTheSource()
    {
        var named = Code().Matches(Read("ARCHITECTURE.md")).SelectMany(code => Name().Matches(code.Value)).Select(name => name.Value)
            .Distinct().ToList();
        var source = Files("src").SelectMany(file => Name().Matches(File.ReadAllText(file))).Select(name => name.Value).ToHashSet();

        Assert.True(named.Count >= 30, "The pattern no longer finds the names.");
        Assert.DoesNotContain(named, name => !source.Contains(name));
    }

    private static string Read(params string[] path) => File.ReadAllText(Repository.PathOf(path));

    private static IEnumerable<string> Files(params string[] folders) =>
        from folder in folders
        from file in Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories)
        where Path.GetExtension(file) is ".cs" or ".md" or ".sql" && !file.Split(Path.DirectorySeparatorChar).Contains("obj")
        select file;

    [GeneratedRegex("^### (.+)$", RegexOptions.Multiline)]
    private static partial Regex DecisionHeading();

    [GeneratedRegex("[Dd]ecision ([a-z0-9]+(?:-[a-z0-9]+)+)")]
    private static partial Regex DecisionName();

    // In backticks, or the bold name that an item begins with.
    [GeneratedRegex(@"`[^`\n]+`|\*\*[A-Za-z]+\*\*")]
    private static partial Regex Code();

    [GeneratedRegex(@"\b[A-Z][a-z]+[A-Z][A-Za-z]*\b|\bI[A-Z][a-z][A-Za-z]*\b")]
    private static partial Regex Name();
}
