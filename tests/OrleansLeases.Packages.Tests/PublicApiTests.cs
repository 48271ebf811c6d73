using System.Reflection;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Packages.Tests;

public sealed class PublicApiTests
{
    public static TheoryData<string> OfApplications { get; } = [.. Libraries.OfApplications];

    [Theory]
    [MemberData(nameof(OfApplications))]
    public void PublicApi_IsAsCheckedIn(string library)
    {
        if (ApiRecord.ChangesOf(Assembly.Load(library), "OrleansLeases.Packages.Tests") is { } changes) Assert.Fail(changes);
    }
}
