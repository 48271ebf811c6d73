using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

/// <summary>What <c>dotnet pack OrleansLeases.sln</c> makes of what was built.</summary>
public sealed class PackageTests(PackageTests.Packed packed) : IClassFixture<PackageTests.Packed>
{
    // Whoever adds one to a library makes all its users take it.
    private static readonly Dictionary<string, string[]> Needed = new()
    {
        ["OrleansLeases.Abstractions"] = [],
        ["OrleansLeases.Client"] =
            ["Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Http", "OrleansLeases.Abstractions"],
        ["OrleansLeases.Core"] = ["OrleansLeases.Abstractions"],
        ["OrleansLeases.DistributedLock"] = ["DistributedLock.Core", "Microsoft.Extensions.Http", "OrleansLeases.Client"],
        ["OrleansLeases.Embedded"] =
        [
            "Microsoft.Data.Sqlite", "Microsoft.Extensions.Logging.Abstractions", "OrleansLeases.Core", "SQLitePCLRaw.bundle_e_sqlite3",
            "SQLitePCLRaw.core",
        ],
        ["OrleansLeases.Fencing.AspNetCore"] = ["Npgsql", "OrleansLeases.Abstractions", "OrleansLeases.Fencing.PostgreSql"],
        ["OrleansLeases.Fencing.PostgreSql"] = ["Npgsql"],
        ["OrleansLeases.Gateway"] = ["Microsoft.AspNetCore.OpenApi", "Microsoft.OpenApi", "OrleansLeases.Abstractions"],
        ["OrleansLeases.Gateway.JwtBearer"] =
        [
            "Microsoft.AspNetCore.Authentication.JwtBearer", "Microsoft.AspNetCore.OpenApi", "Microsoft.OpenApi", "OrleansLeases.Gateway",
        ],
        ["OrleansLeases.GrainInterfaces"] = ["Microsoft.Orleans.Sdk", "OrleansLeases.Abstractions"],
        ["OrleansLeases.Hosting"] = ["Cronos", "Microsoft.Extensions.Http", "OrleansLeases.Client"],
        ["OrleansLeases.Hosting.Aspire"] = ["Aspire.Hosting"],
        ["OrleansLeases.OpenTelemetry"] = ["OpenTelemetry.Api.ProviderBuilderExtensions"],
        ["OrleansLeases.Grains"] =
        [
            "Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Http", "Microsoft.Orleans.Connections.Security",
            "Microsoft.Orleans.Persistence.AdoNet", "Microsoft.Orleans.Reminders",
            "Microsoft.Orleans.Reminders.AdoNet", "Microsoft.Orleans.Sdk", "Microsoft.Orleans.Server", "Npgsql",
            "OrleansLeases.Client", "OrleansLeases.Core", "OrleansLeases.GrainInterfaces",
        ],
    };

    public static TheoryData<string> Libraries { get; } = [.. Tests.Libraries.All];

    [Fact]
    public void Packages_AreOfTheLibrariesAndTheCommands_AndOfNothingElse() => Assert.Equal(
        [.. Tests.Libraries.All.Concat(["OrleansLeases.Cli", "OrleansLeases.Silo"]).Order(StringComparer.Ordinal)],
        packed.Packages.Keys.Order(StringComparer.Ordinal));

    [Fact]
    public void Packages_HaveWhatTheirUsersLookFor() => Assert.Empty(packed.Packages.Values.SelectMany(package => package.Faults()));

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Package_NeedsNoOthersThanItSays(string library)
    {
        Assert.True(
            Needed.TryGetValue(library, out var needed), $"{library} is new: say in {nameof(PackageTests)} which packages it needs.");
        Assert.Equal(needed, packed.Packages[library].Dependencies);
    }

    [Fact]
    public async Task Command_InstallsAsATool_AndRuns()
    {
        Assert.Equal("leases", packed.Packages["OrleansLeases.Cli"].Command);
        Assert.Equal("leases-silo", packed.Packages["OrleansLeases.Silo"].Command);
        // Nothing else is asked for it, and nothing of the machine's own is touched.
        await File.WriteAllTextAsync(Path.Combine(packed.Folder, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <packageSources><clear /><add key="packed" value="{packed.Folder}" /></packageSources>
              <packageSourceMapping><clear /></packageSourceMapping>
            </configuration>
            """);
        await Dotnet.RunAsync(
            packed.Folder, "tool", "install", "OrleansLeases.Cli", "--tool-path", "tools", "--configfile", "nuget.config");
        using var leases = Process.Start(
            new ProcessStartInfo(Path.Combine(packed.Folder, "tools", "leases"), ["--version"]) { RedirectStandardOutput = true })!;
        var version = await leases.StandardOutput.ReadToEndAsync();
        await leases.WaitForExitAsync();
        Assert.Equal(0, leases.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", version);
    }

    [Fact]
    public async Task Packages_OutsideOfTheRepository_AllWorkTogether()
    {
        var references = string.Concat(Tests.Libraries.OfApplications.Select(Reference));
        using var consumer = await Consumer.CreateAsync("Everything", "Microsoft.NET.Sdk.Web", "", packed.Folder, references);
        await consumer.BuildAsync("build", "--configuration", "Release");

        Assert.Equal(
            """
            over HTTP: token 1
            by DistributedLock: token 2
            OpenAPI: OK
            without a token: PreconditionRequired
            the fence: there
            the schema: there
            by its grain: held by me
            in a silo: held
            a job: bills

            """,
            await consumer.RunAsync());
    }

    [Fact]
    public async Task Client_CompiledNatively_HoldsALease_ByOptionsFromConfiguration()
    {
        // Without a linker the code is trimmed in the same way, and run by the runtime.
        var native = IsOnPath("clang") || IsOnPath("gcc") ? "<PublishAot>true</PublishAot>" : "<PublishTrimmed>true</PublishTrimmed>";
        using var consumer =
            await Consumer.CreateAsync("Native", "Microsoft.NET.Sdk", native, packed.Folder, Reference("OrleansLeases.Client"));
        await consumer.BuildAsync("publish", "--configuration", "Release", "--use-current-runtime");
        await using var engine = EmbeddedLeases.InMemory();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<ILeaseService>(engine).AddLeaseGateway();
        await using var server = builder.Build();
        server.MapLeaseServer();
        await server.StartAsync();

        Assert.Matches(@"^native: token \d+, count 1\n$", await consumer.RunAsync(server.Urls.Single()));
    }

    private string Reference(string id) => $"""<PackageReference Include="{id}" Version="{packed.Packages[id].Version}" />""";

    private static bool IsOnPath(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    public sealed class Packed : IAsyncLifetime
    {
        public string Folder { get; } = Directory.CreateTempSubdirectory("orleans-leases-").FullName;

        public Dictionary<string, Package> Packages { get; private set; } = [];

        public async Task InitializeAsync() => Packages = await Dotnet.PackAsync(Folder, "OrleansLeases.sln");

        public Task DisposeAsync()
        {
            Directory.Delete(Folder, recursive: true);
            return Task.CompletedTask;
        }
    }
}
