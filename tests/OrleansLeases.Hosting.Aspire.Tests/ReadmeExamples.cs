using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OrleansLeases.Hosting.Aspire.Tests;

public sealed class ReadmeExamples
{
    [Fact]
    public void AppHost_StartsAServer_AndAWorkerThatWaitsForIt()
    {
        var builder = DistributedApplication.CreateBuilder([]);

        // README: An Aspire app host
        var leases = builder.AddLeases("leases").WithDataFolder("leases-data");

        builder.AddProject<Projects.Worker>("worker")
            .WithReference(leases)
            .WaitFor(leases);

        // README: end
        Assert.Equal(Path.Combine(builder.AppHostDirectory, "leases-data"), leases.Resource.DataFolder);
        var worker = builder.Resources.OfType<ProjectResource>().Single();
        Assert.Same(leases.Resource, worker.Annotations.OfType<WaitAnnotation>().Single().Resource);
    }
}
