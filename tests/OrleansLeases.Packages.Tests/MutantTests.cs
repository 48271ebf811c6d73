using System.Text.RegularExpressions;
using OrleansLeases.Mutants;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>
/// The list of mutants keeps up with the code: what each replaces is there, once, and so is the test that catches it. Whether it does
/// is for tests/mutants/run.sh to say.
/// </summary>
public sealed class MutantTests
{
    private static readonly List<Mutant> Mutants = MutantList.Read(Repository.Root);

    [Fact]
    public void Mutants_AreMany() => Assert.True(Mutants.Count >= 100, $"There are {Mutants.Count}.");

    [Fact]
    public void Mutants_ReplaceWhatIsThere() => Assert.All(
        Mutants, mutant => mutant.ApplyTo(File.ReadAllText(Repository.PathOf(mutant.File))));

    [Fact]
    public void TestsThatCatchMutants_AreThere()
    {
        var sources = Mutants.Select(mutant => mutant.Project).Distinct().ToDictionary(project => project, SourceOf);
        Assert.Empty(
            from mutant in Mutants
            from test in mutant.CaughtBy
            let source = sources[test.Project]
            where !Regex.IsMatch(source, $@"\bclass {test.Class}\b") || !Regex.IsMatch(source, $@"\b{test.Method}\(")
            select $"{mutant.Name}: {test.Project} has no test {test.Name}.");
    }

    // A test project may run what another one has: the suites of the conformance tests above all.
    private static string SourceOf(string project) => string.Concat(
        from folder in new[] { project, "OrleansLeases.Conformance" }.Distinct()
        from file in Directory.EnumerateFiles(Repository.PathOf("tests", folder), "*.cs", SearchOption.AllDirectories)
        select File.ReadAllText(file));
}
