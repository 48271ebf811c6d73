namespace OrleansLeases.Mutants;

/// <summary>Puts one mutant after another into the copy, and sees which of them the tests catch.</summary>
internal sealed class Hunt(string root, Workspace workspace)
{
    private static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(15);

    private readonly List<string> _faults = [];
    private TimeSpan _limit;

    /// <summary>Tries mutants, those of one test project together.</summary>
    /// <param name="mutants">The mutants.</param>
    /// <returns>Whether every one of them was built and caught.</returns>
    public bool Run(IReadOnlyCollection<Mutant> mutants)
    {
        var started = TimeProvider.System.GetTimestamp();
        var caught = 0;
        foreach (var ofProject in mutants.GroupBy(mutant => mutant.Project))
        {
            Console.WriteLine($"== {ofProject.Key}");
            if (!PassWithoutMutant(ofProject.Key, ofProject.SelectMany(mutant => mutant.CaughtBy))) continue;
            caught += ofProject.Count(Catch);
        }

        Console.WriteLine();
        foreach (var fault in _faults) Console.WriteLine(fault);
        var took = TimeProvider.System.GetElapsedTime(started);
        Console.WriteLine($"{caught} of {mutants.Count} mutants caught, in {took.TotalMinutes:F0} min");
        return caught == mutants.Count;
    }

    // A test that fails anyway would catch nothing, nor would one that there is not.
    private bool PassWithoutMutant(string project, IEnumerable<CatchingTest> tests)
    {
        if (workspace.Build(project) is { Length: > 0 } errors) return Fault($"{project} does not build: {errors}");
        var started = TimeProvider.System.GetTimestamp();
        var run = workspace.Test(project, tests, LongestRun);
        // A defect may have a test wait for ever.
        _limit = TimeSpan.FromMinutes(1) + (2 * TimeProvider.System.GetElapsedTime(started));
        var passes = run.HasEnded;
        foreach (var failed in run.Failed) passes = Fault($"{failed} fails without any mutant");
        foreach (var test in tests.Distinct().Where(test => !run.Passed.Any(name => Is(name, test))))
            passes = Fault($"{test.Name} of {test.Project} did not run");
        return passes;
    }

    private bool Catch(Mutant mutant)
    {
        Console.Write($"{mutant.Name,-50} ");
        var original = File.ReadAllText(Path.Combine(root, mutant.File));
        try
        {
            workspace.Write(mutant.File, mutant.ApplyTo(original));
            if (workspace.Build(mutant.Project) is { Length: > 0 } errors) return Fault($"{mutant.Name} does not build: {errors}");
            var run = workspace.Test(mutant.Project, mutant.CaughtBy, _limit);
            if (run.HasEnded && run.Failed.Count == 0) return Fault($"SURVIVED: {mutant.Name} ({mutant.Breaks})");
            Console.WriteLine(run.HasEnded ? $"caught by {ShortNameOf(run.Failed[0])}" : "caught: its tests do not end");
            return true;
        }
        catch (Exception broken) when (broken is InvalidOperationException or InvalidDataException)
        {
            return Fault($"{mutant.Name}: {broken.Message}");
        }
        finally
        {
            workspace.Write(mutant.File, original);
        }
    }

    private bool Fault(string what)
    {
        Console.WriteLine(what);
        _faults.Add(what);
        return false;
    }

    private static bool Is(string fullName, CatchingTest test) =>
        WithoutArguments(fullName).EndsWith($".{test.Name}", StringComparison.Ordinal);

    private static string ShortNameOf(string fullName) => string.Join('.', WithoutArguments(fullName).Split('.')[^2..]);

    private static string WithoutArguments(string fullName) => fullName.Split('(')[0];
}
