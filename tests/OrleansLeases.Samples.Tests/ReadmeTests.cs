using System.Text.RegularExpressions;

namespace OrleansLeases.Samples.Tests;

/// <summary>
/// Every C# example of README.md and docs/ stands in a <c>ReadmeExamples.cs</c> of some test project too, to the letter, between
/// <c>// README: its name</c> and <c>// README: end</c>, where it is compiled and run. Every link leads somewhere.
/// </summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void EveryExample_IsCompiledAndRun()
    {
        var shown = Resources(".md").SelectMany(document => Shown().Matches(document)).Select(example => example.Groups[1].Value).ToList();
        var run =
            Resources(".cs").SelectMany(source => Run().Matches(source)).Select(example => Unindented(example.Groups[1].Value)).ToList();
        // The README repeats the first example of some pages.
        Assert.Equal(shown.Distinct().Order(StringComparer.Ordinal), run.Order(StringComparer.Ordinal));
        Assert.True(shown.Count >= 8, $"{shown.Count} examples are fewer than there were.");
    }

    [Fact]
    public void EveryLink_LeadsToAPageAndItsHeading()
    {
        var pages = Names(".md").ToDictionary(name => name, Read);
        var pictures = Names(".png").ToHashSet();
        var links =
            from page in pages
            from Match link in Link().Matches(page.Value)
            let target = link.Groups["page"].Value is { Length: > 0 } path ? Beside(page.Key, path) : page.Key
            let heading = link.Groups["heading"].Value
            let leads = pages.TryGetValue(target, out var text) ? HasHeading(text, heading) : pictures.Contains(target)
            select (From: page.Key, Link: link.Value, Leads: leads);

        Assert.True(links.Count() >= 20, "There were more links.");
        Assert.DoesNotContain(links, link => !link.Leads);
    }

    private static string Beside(string page, string path) => Path.GetFullPath(Path.Join("/", Path.GetDirectoryName(page), path))[1..];

    private static bool HasHeading(string page, string slug) =>
        slug.Length == 0 || Heading().Matches(page).Any(heading => Slug(heading.Groups[1].Value) == slug);

    // As GitHub makes it.
    private static string Slug(string heading) =>
        string.Concat(heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    private static IEnumerable<string> Names(string kind) =>
        typeof(ReadmeTests).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(kind, StringComparison.Ordinal));

    private static IEnumerable<string> Resources(string kind) => Names(kind).Select(Read);

    private static string Read(string resource)
    {
        using var reader = new StreamReader(typeof(ReadmeTests).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    private static string Unindented(string example)
    {
        var lines = example.TrimEnd().Split('\n');
        var indent = lines[0].Length - lines[0].TrimStart().Length;
        return string.Concat(lines.Select(line => (line.Length == 0 ? line : line[indent..]) + "\n"));
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Shown();

    [GeneratedRegex(@"\]\((?!https?:)(?<page>[^)#\s]*)(#(?<heading>[^)\s]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("// README: (?!end)[^\n]*\n(.*?)// README: end", RegexOptions.Singleline)]
    private static partial Regex Run();
}
