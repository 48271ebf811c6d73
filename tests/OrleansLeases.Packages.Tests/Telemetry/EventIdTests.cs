using System.Text.RegularExpressions;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests.Telemetry;

/// <summary>Every event of the log has an id of its own in its file, by which a person finds it.</summary>
public sealed partial class EventIdTests
{
    [Fact]
    public void EveryEvent_HasAnId_OfItsOwn()
    {
        var events = (
            from file in Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            where !file.Split(Path.DirectorySeparatorChar).Contains("obj")
            from Match found in Event().Matches(File.ReadAllText(file))
            select (File: Path.GetRelativePath(Repository.Root, file), Id: found.Groups[1].Value)).ToList();

        Assert.True(events.Count >= 30, "The pattern no longer finds the events.");
        Assert.DoesNotContain(events, found => found.Id == "");
        Assert.Equal(events.Distinct().Order(), events.Order());
    }

    [GeneratedRegex(@"\[LoggerMessage\(\s*(\d*)")]
    private static partial Regex Event();
}
