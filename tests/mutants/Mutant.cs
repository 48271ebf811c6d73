namespace OrleansLeases.Mutants;

/// <summary>A test that catches a mutant.</summary>
/// <param name="Project">Its project's folder below tests/.</param>
/// <param name="Name">The end of its full name: the class and the method, after a namespace where the class needs one.</param>
internal sealed record CatchingTest(string Project, string Name)
{
    public string Class => Name.Split('.')[^2];

    public string Method => Name.Split('.')[^1];
}

/// <summary>One defect: a piece of one line, and what stands there instead.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Breaks">The invariant that it breaks, and how.</param>
/// <param name="File">The file, from the root of the repository.</param>
/// <param name="Before">What stands there: text that the file has once.</param>
/// <param name="After">What the defect puts there.</param>
/// <param name="CaughtBy">The tests that catch it, all of one project.</param>
internal sealed record Mutant(
    string Name, string Breaks, string File, string Before, string After, IReadOnlyList<CatchingTest> CaughtBy)
{
    public string Project => CaughtBy[0].Project;

    /// <summary>Puts the defect into the file's text.</summary>
    /// <param name="text">The text as it is in the repository.</param>
    /// <returns>The text with the defect.</returns>
    /// <exception cref="InvalidDataException">
    /// What it replaces is not there, or more than once: the mutant has to follow the code.
    /// </exception>
    public string ApplyTo(string text)
    {
        var at = text.IndexOf(Before, StringComparison.Ordinal);
        if (at < 0) throw new InvalidDataException($"{Name}: {File} no longer has '{Before}'.");
        if (text.IndexOf(Before, at + 1, StringComparison.Ordinal) >= 0)
            throw new InvalidDataException($"{Name}: {File} has '{Before}' more than once; take more of the line.");
        return string.Concat(text.AsSpan(0, at), After, text.AsSpan(at + Before.Length));
    }
}
