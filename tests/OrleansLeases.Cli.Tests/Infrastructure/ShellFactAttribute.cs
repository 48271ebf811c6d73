namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>A test in a shell, where it is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ShellFactAttribute : FactAttribute
{
    public ShellFactAttribute(string shell)
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, shell))))
            Skip = $"There is no {shell} on this machine; install Debian's package '{shell}'.";
    }
}
