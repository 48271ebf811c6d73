using System.Globalization;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>The command without a process of its own, where a test is about what it reads and prints.</summary>
internal static class InProcess
{
    // The options that all verbs share are one object each.
    private static readonly SemaphoreSlim OneAtATime = new(1);

    // What the user of this machine has named is nothing to the tests.
    static InProcess() => Environment.SetEnvironmentVariable("LEASES_CONFIG", NoContexts);

    /// <summary>A file of contexts that is not there.</summary>
    public static string NoContexts => Path.Combine(Path.GetTempPath(), "leases-tests-have-no-contexts.json");

    public static async Task<ToolResult> RunAsync(string? server, params string[] arguments)
    {
        await OneAtATime.WaitAsync();
        try
        {
            using var results = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
            using var diagnostics = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
            var code = await CommandLine.RunAsync(
                server is null ? arguments : ["--server", server, .. arguments], results, diagnostics);
            return new(code, results.ToString(), diagnostics.ToString());
        }
        finally
        {
            OneAtATime.Release();
        }
    }
}
