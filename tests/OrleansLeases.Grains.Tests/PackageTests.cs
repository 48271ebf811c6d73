using System.Reflection;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Grains.Tests;

/// <summary>What users of the libraries for Orleans get. The others are in OrleansLeases.Packages.Tests, which needs no Orleans package.</summary>
public sealed class PackageTests
{
    public static TheoryData<string, string[]> Libraries { get; } = new()
    {
        { "OrleansLeases.GrainInterfaces", ["Microsoft.Orleans.Sdk", "OrleansLeases.Abstractions"] },
        {
            "OrleansLeases.Grains",
            [
                "Microsoft.Extensions.Http", "Microsoft.Orleans.Persistence.AdoNet", "Microsoft.Orleans.Reminders", "Microsoft.Orleans.Reminders.AdoNet", "Microsoft.Orleans.Sdk",
                "Microsoft.Orleans.Server", "Npgsql", "OrleansLeases.Client", "OrleansLeases.Core", "OrleansLeases.GrainInterfaces",
            ]
        },
    };

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task Package_HasWhatItsUsersLookFor_AndNeedsNoOthersThanItSays(string library, string[] needed)
    {
        var folder = Directory.CreateTempSubdirectory("orleans-leases-").FullName;
        try
        {
            var packages = await Dotnet.PackAsync(folder, $"src/{library}");
            var package = Assert.Single(packages).Value;
            Assert.Equal(library, package.Id);
            Assert.Empty(package.Faults());
            Assert.Equal(needed, package.Dependencies);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("OrleansLeases.GrainInterfaces")]
    [InlineData("OrleansLeases.Grains")]
    public void PublicApi_IsAsCheckedIn(string library)
    {
        if (ApiRecord.ChangesOf(Assembly.Load(library), "OrleansLeases.Grains.Tests") is { } changes) Assert.Fail(changes);
    }
}
