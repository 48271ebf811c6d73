using System.CommandLine;
using System.Reflection;

namespace OrleansLeases.Cli.Commands;

/// <summary>The version of this command; no server is asked.</summary>
internal sealed class VersionVerb : Verb
{
    public VersionVerb()
        : base(
            "version", "Show the version of this command; `leases info` shows the server's.",
            "leases version", "leases version --json") =>
        SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.WriteLine(
                parsed.GetValue(GlobalOptions.Json) ? $"{{\"version\":\"{Own}\"}}" : Own);
            return ExitCode.Done;
        });

    /// <summary>As <c>--version</c> prints it.</summary>
    private static string Own =>
        typeof(VersionVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
