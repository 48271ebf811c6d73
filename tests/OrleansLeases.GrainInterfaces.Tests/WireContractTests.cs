namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>
/// Silos and clients of two versions meet in every rolling upgrade: what they say to each other changes on purpose or not at all.
/// </summary>
public sealed class WireContractTests
{
    private const string Source = "tests/OrleansLeases.GrainInterfaces.Tests/WireContract.txt";

    [Fact]
    public void WireContract_IsAsCheckedIn()
    {
        var folder = AppContext.BaseDirectory;
        var expected = File.ReadAllLines(Path.Combine(folder, "WireContract.txt"));
        var actual = WireContract.Render().TrimEnd('\n').Split('\n');
        if (expected.SequenceEqual(actual)) return;

        var accepted = Path.Combine(folder, "WireContract.actual.txt");
        File.WriteAllText(accepted, string.Join('\n', actual) + '\n');
        var changes =
            Missing(expected, actual).Select(line => $"- {line}").Concat(Missing(actual, expected).Select(line => $"+ {line}")).ToList();
        if (changes.Count == 0) changes.Add("(the same lines in another order)");
        Assert.Fail($"""
            What the grains say on the wire has changed:
            {string.Join('\n', changes)}

            Silos and clients of the last release do not understand a changed or removed name, alias, id, type or number:
            give what is new an id or an alias of its own instead. They skip a new field, cannot answer a new method, and
            fail on a new refusal. To accept the change:
              cp {accepted} {Source}
            """);
    }

    // Each line with the heading it stands under, since "  0 Resource: string" alone would not say whose it is.
    private static IEnumerable<string> Missing(string[] from, string[] other) => Headed(from).Except(Headed(other));

    private static IEnumerable<string> Headed(string[] lines)
    {
        var heading = "";
        foreach (var line in lines)
        {
            if (line.StartsWith(' '))
            {
                yield return $"{heading}: {line.Trim()}";
            }
            else if (line.Length > 0)
            {
                heading = line;
                yield return line;
            }
        }
    }
}
