using Aspire.Hosting;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Hosting.Aspire.Tests;

public sealed class PublicApiTests
{
    [Fact]
    public void PublicApi_IsAsCheckedIn()
    {
        if (ApiRecord.ChangesOf(typeof(LeasesBuilderExtensions).Assembly, "OrleansLeases.Hosting.Aspire.Tests") is { } changes)
            Assert.Fail(changes);
    }
}
