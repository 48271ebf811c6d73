using System.Reflection;
using PublicApiGenerator;

namespace OrleansLeases.Testing.Packages;

/// <summary>
/// The public API of a library as it is checked in, in <c>src/{library}/PublicApi.txt</c>: it changes on purpose or not at all.
/// </summary>
public static class ApiRecord
{
    private const string Accept = "LEASES_ACCEPT_API";

    // Orleans' generated code is public, so that its serializer finds it, and for nobody else.
    private static readonly ApiGeneratorOptions Options = new()
    {
        IncludeAssemblyAttributes = false,
        DenyNamespacePrefixes = ["OrleansCodeGen"],
    };

    /// <summary>Compares a library with its record; writes the record instead where the environment says so.</summary>
    /// <param name="library">The library.</param>
    /// <param name="tests">The test project that asks.</param>
    /// <returns>What has changed and how to accept it; null where nothing has.</returns>
    public static string? ChangesOf(Assembly library, string tests)
    {
        ArgumentNullException.ThrowIfNull(library);
        var record = Repository.PathOf("src", library.GetName().Name!, "PublicApi.txt");
        var actual = library.GeneratePublicApi(Options).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable(Accept) == "1") File.WriteAllText(record, actual);
        var expected = File.Exists(record) ? File.ReadAllText(record) : "";
        if (expected == actual) return null;

        var (before, now) = (expected.Split('\n'), actual.Split('\n'));
        var changes = before.Except(now).Select(line => $"- {line}").Concat(now.Except(before).Select(line => $"+ {line}")).ToList();
        if (changes.Count == 0) changes.Add("(the same lines in another order)");
        return $"""
            What {library.GetName().Name} shows to its users has changed:
            {string.Join('\n', changes)}

            A line that went away or changed breaks whoever has used it. To accept the change, and then to review it:
              {Accept}=1 dotnet test tests/{tests} --filter PublicApi
              git diff src/*/PublicApi.txt
            """;
    }
}
