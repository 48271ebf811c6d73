namespace OrleansLeases.Mutants;

/// <summary>The lists of mutants: the text files beside this one.</summary>
internal static class MutantList
{
    /// <summary>Where the lists and this program are, from the root of the repository.</summary>
    public const string Folder = "tests/mutants";

    private static readonly string[] Invariants = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "liveness", "fencing", "callers"];

    /// <summary>Reads all lists.</summary>
    /// <param name="root">The root of the repository.</param>
    /// <returns>The mutants, in the order of the lists.</returns>
    /// <exception cref="InvalidDataException">An entry is not complete; the message says which.</exception>
    public static List<Mutant> Read(string root)
    {
        var mutants = Directory.EnumerateFiles(Path.Combine(root, Folder), "*.txt").Order(StringComparer.Ordinal)
            .SelectMany(list => Parse(Path.GetFileName(list), File.ReadLines(list))).ToList();
        return mutants.CountBy(mutant => mutant.Name).FirstOrDefault(name => name.Value > 1) is { Key: { } twice }
            ? throw new InvalidDataException($"There are several mutants of the name {twice}.")
            : mutants;
    }

    private static IEnumerable<Mutant> Parse(string list, IEnumerable<string> lines)
    {
        var entry = new List<string>();
        foreach (var line in lines.Append(""))
        {
            if (line.StartsWith('#')) continue;
            if (line.Length > 0) entry.Add(line);
            else if (entry.Count > 0)
            {
                yield return ParseEntry(list, entry);
                entry.Clear();
            }
        }
    }

    private static Mutant ParseEntry(string list, List<string> lines)
    {
        var mutant = new Mutant(
            One("mutant"), One("breaks"), One("in"), string.Join('\n', All("-")), string.Join('\n', All("+")),
            [.. All("caught").Select(caught => caught.Split(' ') is [var project, var name] && name.Split('.').Length >= 2
                ? new CatchingTest($"OrleansLeases.{project}", name)
                : throw Wrong($"'caught {caught}' is not a project's name and a test's"))]);
        if (!Invariants.Contains(mutant.Breaks.Split([':', ','])[0])) throw Wrong($"it breaks none of {string.Join(", ", Invariants)}");
        if (mutant.Before.Length == 0 || mutant.Before == mutant.After) throw Wrong("it changes nothing");
        return mutant.CaughtBy.Select(test => test.Project).Distinct().Count() == 1
            ? mutant
            : throw Wrong("its tests are not of one project");

        IEnumerable<string> All(string field) =>
            lines.Where(line => line.Split(' ')[0] == field).Select(line => line.Length > field.Length ? line[(field.Length + 1)..] : "");

        string One(string field) => All(field).ToList() is [var value] ? value : throw Wrong($"it needs one line '{field}'");

        InvalidDataException Wrong(string why) => new($"{list}, '{lines[0]}': {why}.");
    }
}
