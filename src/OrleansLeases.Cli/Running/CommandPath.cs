using System.Runtime.Versioning;

namespace OrleansLeases.Cli.Running;

/// <summary>Finds a command as a shell does: by its path, or along PATH and nowhere else.</summary>
[SupportedOSPlatform("linux")]
internal static class CommandPath
{
    /// <summary>The file to run, or the exit code and message of a shell that cannot.</summary>
    public static (string? Path, int Code, string Message) Find(string command)
    {
        var candidates = command.Contains('/', StringComparison.Ordinal)
            ? [Path.GetFullPath(command)]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(
                folder => Path.GetFullPath(Path.Combine(folder.Length == 0 ? "." : folder, command)));
        var exists = false;
        foreach (var candidate in candidates)
        {
            if (File.Exists(candidate))
            {
                if (Linux.Access(candidate, Linux.ExecutableAccess) == 0) return (candidate, ExitCode.Done, "");
                exists = true;
            }
            else if (Directory.Exists(candidate) && command.Contains('/', StringComparison.Ordinal))
            {
                exists = true;
            }
        }

        return exists
            ? (null, ExitCode.NotExecutable, $"'{command}' cannot be executed: it is not a program, or you lack the permission.")
            : (null, ExitCode.NotFound, $"'{command}' was not found.");
    }
}
