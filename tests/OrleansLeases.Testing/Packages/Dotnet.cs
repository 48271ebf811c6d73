using System.Diagnostics;
using System.Reflection;

namespace OrleansLeases.Testing.Packages;

/// <summary>The <c>dotnet</c> that runs the tests, asked to make and to install packages.</summary>
public static class Dotnet
{
    private static readonly string Configuration =
        typeof(Dotnet).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    /// <summary>Whether what is tested was built as it is published.</summary>
    public static bool IsRelease => Configuration == "Release";

    /// <summary>What the names of source files start with.</summary>
    public static string SourceRoot => IsRelease ? "/_/" : Repository.Root;

    /// <summary>Makes the packages of what was built.</summary>
    /// <param name="folder">Where they are put.</param>
    /// <param name="project">A project or solution, by its path in the repository.</param>
    /// <returns>The packages, by their ids.</returns>
    /// <exception cref="InvalidOperationException">It was refused; the message has what was printed.</exception>
    public static async Task<Dictionary<string, Package>> PackAsync(string folder, string project)
    {
        await RunAsync(
            Repository.Root, "pack", project, "--no-build", "--configuration", Configuration, "--output", folder, "-warnaserror",
            "-nodeReuse:false");
        return Directory.GetFiles(folder, "*.nupkg").Select(path => new Package(path)).ToDictionary(package => package.Id);
    }

    /// <summary>Runs it.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="arguments">What it is told.</param>
    /// <returns>When it has succeeded.</returns>
    /// <exception cref="InvalidOperationException">It has not; the message has what was printed.</exception>
    public static async Task RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // What the tests are run by has told its own children.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        using var process = Process.Start(start)!;
        var printed = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{string.Concat(printed)}");
        }
    }
}
