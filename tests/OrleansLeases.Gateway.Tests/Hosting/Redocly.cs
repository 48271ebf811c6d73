using System.Diagnostics;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>A test with Redocly's linter, where it is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RedoclyFactAttribute : FactAttribute
{
    public RedoclyFactAttribute()
    {
        if (!File.Exists(Redocly.Program)) Skip = "Redocly's linter is not installed; ./test.sh installs it where there is npm.";
    }
}

/// <summary>Redocly's linter of OpenAPI documents.</summary>
internal static class Redocly
{
    public static string Program { get; } = Repository.PathOf("artifacts", "redocly", "node_modules", ".bin", "redocly");

    /// <summary>Checks a document by its recommended rules.</summary>
    /// <returns>The exit code, and what it says.</returns>
    public static async Task<(int Code, string Text)> LintAsync(string document)
    {
        var start = new ProcessStartInfo(Program, ["lint", document]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // It reports to its makers and looks for a newer one of itself otherwise.
        start.Environment["REDOCLY_TELEMETRY"] = "off";
        start.Environment["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true";
        using var linter = Process.Start(start)!;
        var texts = await Task.WhenAll(linter.StandardOutput.ReadToEndAsync(), linter.StandardError.ReadToEndAsync());
        await linter.WaitForExitAsync();
        return (linter.ExitCode, string.Concat(texts));
    }
}
