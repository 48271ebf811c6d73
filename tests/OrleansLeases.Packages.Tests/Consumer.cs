using System.Diagnostics;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>
/// A project outside of the repository, whose settings it does not have, that references packages as they were just made: from a
/// folder of its own, so that no older ones of the same version are taken.
/// </summary>
internal sealed class Consumer : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orleans-leases-").FullName;

    private Consumer()
    {
    }

    /// <param name="source">The name of its program in <c>Consumers/</c>.</param>
    /// <param name="sdk">What it is built with.</param>
    /// <param name="properties">How it is built, as XML.</param>
    /// <param name="packages">The folder with the packages.</param>
    /// <param name="references">Those it references, as XML with their versions.</param>
    public static async Task<Consumer> CreateAsync(string source, string sdk, string properties, string packages, string references)
    {
        var consumer = new Consumer();
        File.Copy(Repository.PathOf("tests", "OrleansLeases.Packages.Tests", "Consumers", $"{source}.cs"), consumer.PathOf("Program.cs"));
        await File.WriteAllTextAsync(consumer.PathOf("consumer.csproj"), $"""
            <Project Sdk="{sdk}">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <InvariantGlobalization>true</InvariantGlobalization>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                {properties}
              </PropertyGroup>
              <ItemGroup>{references}</ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(consumer.PathOf("nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <fallbackPackageFolders>{Fallback()}</fallbackPackageFolders>
              <packageSources><add key="packed" value="{packages}" /></packageSources>
            </configuration>
            """);
        return consumer;
    }

    public Task BuildAsync(params string[] arguments) => Dotnet.RunAsync(_folder, [.. arguments, "--output", "out", "-nodeReuse:false"]);

    /// <summary>Runs what was built.</summary>
    /// <returns>What it printed.</returns>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(PathOf("out", "consumer"), arguments)
        {
            WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var printed = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"It ended with {process.ExitCode}:\n{string.Concat(printed)}");
        return printed[0];
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // What others have made is not fetched again, where the machine has it, and has none of ours.
    private static string Fallback()
    {
        var folder = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var isOfOthers = Directory.Exists(folder) && Directory.GetDirectories(folder, "orleansleases.*").Length == 0;
        return isOfOthers ? $"""<add key="machine" value="{folder}" />""" : "";
    }

    private string PathOf(params string[] parts) => Path.Combine([_folder, .. parts]);
}
