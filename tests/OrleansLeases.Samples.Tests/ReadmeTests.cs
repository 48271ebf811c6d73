using System.Text.RegularExpressions;

namespace OrleansLeases.Samples.Tests;

/// <summary>
/// Every C# example that people read stands in a <c>ReadmeExamples.cs</c> of some test project too, to the letter, between
/// <c>// README: its name</c> and <c>// README: end</c>, where it is compiled and run.
/// </summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void EveryExample_IsCompiledAndRun()
    {
        var shown = Resources(".md").SelectMany(document => Shown().Matches(document)).Select(example => example.Groups[1].Value).ToList();
        var run = Resources(".cs").SelectMany(source => Run().Matches(source)).Select(example => Unindented(example.Groups[1].Value)).ToList();
        Assert.Equal(shown.Order(StringComparer.Ordinal), run.Order(StringComparer.Ordinal));
        Assert.True(shown.Count >= 8, $"{shown.Count} examples are fewer than there were.");
    }

    private static IEnumerable<string> Resources(string kind)
    {
        var assembly = typeof(ReadmeTests).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(kind, StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return reader.ReadToEnd();
        }
    }

    private static string Unindented(string example)
    {
        var lines = example.TrimEnd().Split('\n');
        var indent = lines[0].Length - lines[0].TrimStart().Length;
        return string.Concat(lines.Select(line => (line.Length == 0 ? line : line[indent..]) + "\n"));
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Shown();

    [GeneratedRegex("// README: (?!end)[^\n]*\n(.*?)// README: end", RegexOptions.Singleline)]
    private static partial Regex Run();
}
