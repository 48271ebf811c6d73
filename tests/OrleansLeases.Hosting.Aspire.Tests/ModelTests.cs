using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OrleansLeases.Hosting.Aspire.Tests;

/// <summary>What the model says of a server, in either form, and what is published of it.</summary>
public sealed class ModelTests
{
    [Fact]
    public async Task Manifest_HasTheServers_AndWhatTheirClientsAreTold()
    {
        var manifest = await PublishAsync(builder =>
        {
            var leases = builder.AddLeases("leases", port: 7401).WithDataFolder("data");
            var billing = builder.AddLeasesContainer("billing")
                .WithDataVolume("billing-data")
                .WithAccess("access.json", builder.AddParameter("billing-key", secret: true));
            builder.AddContainer("worker", "worker").WithReference(leases).WithReference(billing);
        });

        Assert.Equal("executable.v0", (string?)manifest["leases"]!["type"]);
        Assert.Equal("leases", (string?)manifest["leases"]!["command"]);
        Assert.Equal(
            [
                "serve", "--data", Path.Combine(AppHostFolder, "data"), "--urls", "http://localhost:{leases.bindings.http.targetPort}",
                "--allowed-hosts", "aspire.dev.internal;host.docker.internal;host.containers.internal",
            ],
            TextsOf(manifest["leases"]!["args"]));
        Assert.Equal("{leases.bindings.http.url}", (string?)manifest["leases"]!["connectionString"]);
        Assert.Equal("container.v0", (string?)manifest["billing"]!["type"]);
        Assert.Equal("orleans-leases-server:0.1.0", (string?)manifest["billing"]!["image"]);
        Assert.Equal(
            ["serve", "--data", "/var/lib/leases", "--urls", "http://0.0.0.0:7400", "--access", "/etc/leases/access.json"],
            TextsOf(manifest["billing"]!["args"]));
        Assert.Equal(
            """[{"name":"billing-data","target":"/var/lib/leases","readOnly":false}]""",
            manifest["billing"]!["volumes"]!.ToJsonString());
        var access = manifest["billing"]!["bindMounts"]!.AsArray().Single()!;
        // From where the manifest is.
        Assert.Equal(Path.Combine(AppHostFolder, "access.json"), Path.GetFullPath((string)access["source"]!, Path.GetTempPath()));
        Assert.Equal(("/etc/leases/access.json", true), ((string)access["target"]!, (bool)access["readOnly"]!));
        Assert.Equal(
            "Servers={billing.bindings.http.url};Token={billing-key.value}", (string?)manifest["billing"]!["connectionString"]);
        Assert.Equal("7400", manifest["billing"]!["bindings"]!["http"]!["targetPort"]!.ToString());
        Assert.Equal("{leases.connectionString}", (string?)manifest["worker"]!["env"]!["ConnectionStrings__leases"]);
        Assert.Equal("{billing-key.value}", (string?)manifest["worker"]!["env"]!["BILLING_TOKEN"]);
    }

    [Fact]
    public async Task Container_AsksNobodyWhoIsCalling_WhileTheAppHostRunsOnly()
    {
        var running = await ArgumentsOf(DistributedApplication.CreateBuilder([]));
        var manifest = await PublishAsync(builder => builder.AddLeasesContainer("leases"));

        Assert.Equal(["serve", "--data", "/var/lib/leases", "--urls", "http://0.0.0.0:7400", "--insecure"], running);
        Assert.DoesNotContain("--insecure", TextsOf(manifest["leases"]!["args"]));

        static async Task<string[]> ArgumentsOf(IDistributedApplicationBuilder builder)
        {
            var arguments = new List<object>();
            var server = builder.AddLeasesContainer("leases").Resource;
            foreach (var annotation in server.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
            {
                await annotation.Callback(new(arguments) { ExecutionContext = builder.ExecutionContext });
            }

            return [.. arguments.Select(argument => argument.ToString()!)];
        }
    }

    [Fact]
    public void Servers_AreHealthyOnceTheyTakeCalls_AndToldOfTheDashboard()
    {
        var builder = DistributedApplication.CreateBuilder([]);
        IResource[] servers = [builder.AddLeases("leases").Resource, builder.AddLeasesContainer("billing").Resource];

        Assert.All(servers, server =>
        {
            Assert.Equal(
                $"{server.Name}_http_/health/ready_200_check", server.Annotations.OfType<HealthCheckAnnotation>().Single().Key);
            Assert.Single(server.Annotations.OfType<OtlpExporterAnnotation>());
        });
    }

    [Fact]
    public void Names_AreNeeded()
    {
        var builder = DistributedApplication.CreateBuilder([]);
        // To Aspire's analyzer no literal, which it would refuse.
        var none = string.Empty;

        Assert.Throws<ArgumentNullException>("builder", () => ((IDistributedApplicationBuilder)null!).AddLeases("leases"));
        Assert.Throws<ArgumentException>("name", () => builder.AddLeases(none));
        Assert.Throws<ArgumentException>("name", () => builder.AddLeasesContainer(none));
        Assert.Throws<ArgumentException>("path", () => builder.AddLeases("leases").WithDataFolder(""));
        Assert.Throws<ArgumentException>("file", () => builder.AddLeasesContainer("billing").WithAccess(""));
    }

    private static string AppHostFolder { get; } = DistributedApplication.CreateBuilder([]).AppHostDirectory;

    private static string[] TextsOf(JsonNode? texts) => [.. texts!.AsArray().Select(text => (string)text!)];

    private static async Task<JsonNode> PublishAsync(Action<IDistributedApplicationBuilder> add)
    {
        var file = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.json");
        try
        {
            var builder = DistributedApplication.CreateBuilder(
                new DistributedApplicationOptions
                {
                    Args = ["--operation", "publish", "--publisher", "manifest", "--output-path", file], DisableDashboard = true,
                });
            add(builder);
            await using var app = builder.Build();
            await app.RunAsync();
            return JsonNode.Parse(await File.ReadAllTextAsync(file))!["resources"]!;
        }
        finally
        {
            File.Delete(file);
        }
    }
}
