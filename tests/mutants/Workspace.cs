using System.Diagnostics;
using System.Xml.Linq;

namespace OrleansLeases.Mutants;

/// <summary>What became of the tests of a run.</summary>
/// <param name="Passed">The full names of those that passed.</param>
/// <param name="Failed">The full names of those that failed.</param>
/// <param name="HasEnded">Whether the run ended by itself, rather than because it took too long.</param>
internal sealed record TestRun(IReadOnlyList<string> Passed, IReadOnlyList<string> Failed, bool HasEnded);

/// <summary>A copy of the repository, as it is with what is not committed, in which defects are built and tested.</summary>
internal sealed class Workspace(string root, string folder)
{
    private const string Quick =
        "-p:TreatWarningsAsErrors=false -p:RunAnalyzersDuringBuild=false -p:EnforceCodeStyleInBuild=false "
            + "-p:GenerateDocumentationFile=false";

    private static readonly TimeSpan LongestBuild = TimeSpan.FromMinutes(10);
    private static readonly string[] Made = ["bin", "obj", "artifacts"];

    /// <summary>Makes the copy as the repository is. What did not change stays untouched, and need not be built again.</summary>
    public void Copy()
    {
        var files = Run("git", "ls-files -z --cached --others --exclude-standard", root, LongestBuild, out var output) == 0
            ? output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(root, file))).ToHashSet()
            : throw new InvalidOperationException(output);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, file);
            if (!files.Contains(name) && !name.Split(Path.DirectorySeparatorChar).Intersect(Made).Any()) File.Delete(file);
        }

        foreach (var file in files) Write(file, File.ReadAllBytes(Path.Combine(root, file)));
    }

    /// <summary>Has a file say something else than in the repository.</summary>
    /// <param name="file">The file.</param>
    /// <param name="text">Its text.</param>
    public void Write(string file, string text) => Write(file, System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Builds a test project and what it needs.</summary>
    /// <param name="project">Its folder below tests/.</param>
    /// <returns>The errors; empty where there are none.</returns>
    public string Build(string project) =>
        Run("dotnet", $"build tests/{project} -v quiet -clp:ErrorsOnly {Quick}", folder, LongestBuild, out var output) == 0 ? "" : output;

    /// <summary>Runs tests of a project that was built.</summary>
    /// <param name="project">Its folder below tests/.</param>
    /// <param name="tests">Which tests.</param>
    /// <param name="limit">How long they may take.</param>
    /// <returns>What became of them.</returns>
    /// <exception cref="InvalidOperationException">The run broke; the message has what it said.</exception>
    public TestRun Test(string project, IEnumerable<CatchingTest> tests, TimeSpan limit)
    {
        var results = Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "artifacts")).FullName, "mutant.trx");
        File.Delete(results);
        var filter = string.Join('|', tests.Select(test => $"FullyQualifiedName~.{test.Name}").Distinct());
        var code = Run(
            "dotnet",
            $"test tests/{project} --no-build --filter {filter} --logger trx;LogFileName=mutant.trx --results-directory artifacts", folder,
            limit, out var output);
        if (code is null) return new([], [], HasEnded: false);
        if (!File.Exists(results)) throw new InvalidOperationException($"The tests did not run: {output}");
        var outcomes = XDocument.Load(results).Descendants().Where(element => element.Name.LocalName == "UnitTestResult")
            .ToLookup(result => (string)result.Attribute("outcome")!, result => (string)result.Attribute("testName")!);
        // A defect that ends the process of the tests would be taken for one that they did not mind.
        if (code != 0 && !outcomes.Contains("Failed")) throw new InvalidOperationException($"The tests broke off: {output}");
        return new([.. outcomes["Passed"]], [.. outcomes["Failed"]], HasEnded: true);
    }

    private void Write(string file, byte[] bytes)
    {
        var path = Path.Combine(folder, file);
        if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes)) return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    // Null where it took too long.
    private static int? Run(string command, string arguments, string folder, TimeSpan limit, out string output)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (told, trouble) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var hasEnded = process.WaitForExit(limit);
        if (!hasEnded) process.Kill(entireProcessTree: true);
        output = hasEnded ? told.Result + trouble.Result : "It took too long.";
        return hasEnded ? process.ExitCode : null;
    }
}
