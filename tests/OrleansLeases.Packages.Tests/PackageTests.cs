using System.Diagnostics;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>What <c>dotnet pack Portable.slnf</c> makes of what was built.</summary>
public sealed class PackageTests(PackageTests.Packed packed) : IClassFixture<PackageTests.Packed>
{
    // Whoever adds one to a library makes all its users take it.
    private static readonly Dictionary<string, string[]> Needed = new()
    {
        ["OrleansLeases.Abstractions"] = [],
        ["OrleansLeases.Client"] = ["Microsoft.Extensions.Http", "OrleansLeases.Abstractions"],
        ["OrleansLeases.Core"] = ["OrleansLeases.Abstractions"],
        ["OrleansLeases.Embedded"] = ["Microsoft.Data.Sqlite", "Microsoft.Extensions.Logging.Abstractions", "OrleansLeases.Core", "SQLitePCLRaw.bundle_e_sqlite3", "SQLitePCLRaw.core"],
        ["OrleansLeases.Fencing.AspNetCore"] = ["Npgsql", "OrleansLeases.Fencing.PostgreSql"],
        ["OrleansLeases.Fencing.PostgreSql"] = ["Npgsql"],
        ["OrleansLeases.Gateway"] = ["Microsoft.AspNetCore.OpenApi", "Microsoft.OpenApi", "OrleansLeases.Abstractions"],
    };

    public static TheoryData<string> Libraries { get; } = [.. Tests.Libraries.All];

    [Fact]
    public void Packages_AreOfTheLibrariesAndTheCommand_AndOfNothingElse() =>
        Assert.Equal([.. Tests.Libraries.All.Append("OrleansLeases.Cli").Order(StringComparer.Ordinal)], packed.Packages.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Packages_HaveWhatTheirUsersLookFor() => Assert.Empty(packed.Packages.Values.SelectMany(package => package.Faults()));

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Package_NeedsNoOthersThanItSays(string library)
    {
        Assert.True(Needed.TryGetValue(library, out var needed), $"{library} is new: say in {nameof(PackageTests)} which packages it needs.");
        Assert.Equal(needed, packed.Packages[library].Dependencies);
    }

    [Fact]
    public async Task Command_InstallsAsATool_AndRuns()
    {
        Assert.Equal("leases", packed.Packages["OrleansLeases.Cli"].Command);
        // Nothing else is asked for it, and nothing of the machine's own is touched.
        await File.WriteAllTextAsync(Path.Combine(packed.Folder, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <packageSources><clear /><add key="packed" value="{packed.Folder}" /></packageSources>
              <packageSourceMapping><clear /></packageSourceMapping>
            </configuration>
            """);
        await Dotnet.RunAsync(packed.Folder, "tool", "install", "OrleansLeases.Cli", "--tool-path", "tools", "--configfile", "nuget.config");
        using var leases = Process.Start(new ProcessStartInfo(Path.Combine(packed.Folder, "tools", "leases"), ["--version"]) { RedirectStandardOutput = true })!;
        var version = await leases.StandardOutput.ReadToEndAsync();
        await leases.WaitForExitAsync();
        Assert.Equal(0, leases.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", version);
    }

    public sealed class Packed : IAsyncLifetime
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("orleans-leases-").FullName;

        public Dictionary<string, Package> Packages { get; private set; } = [];

        public async Task InitializeAsync() => Packages = await Dotnet.PackAsync(Folder, "Portable.slnf");

        public Task DisposeAsync()
        {
            Directory.Delete(Folder, recursive: true);
            return Task.CompletedTask;
        }
    }
}
