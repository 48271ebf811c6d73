using System.Reflection;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace OrleansLeases.Hosting.Aspire.Tests;

/// <summary>
/// An app host that Aspire's orchestrator runs: a server in memory, one on a folder that wants a credential, and a process that references
/// both, waits for them, and writes down the environment it was started with.
/// </summary>
public sealed class AppHost : IAsyncLifetime
{
    private const string Key = "olk_d613d7dbd270de69_4TWrKJzo3IIVL3ARYoN9JpoxEhkH1jT7LmM9qYWPiUY";

    // As `leases token create --for-file` prints it for that key.
    private const string Access = """
        {
          "keys": [
            {
              "id": "d613d7dbd270de69", "name": "billing", "principal": "billing",
              "sha256": "85cf41ca2ecdf9ebe17aa039fac1d427b995cff7dc67d42a7a31e9574e03681b"
            }
          ],
          "rules": [{ "principal": "billing", "prefix": "", "verbs": ["read", "hold"], "owners": ["*"] }]
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("orleans-leases-").FullName;
    private DistributedApplication? _app;

    /// <summary>Whether this machine has the orchestrator, which the project file asks for where it is known.</summary>
    public static bool CanRun { get; } = typeof(AppHost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Any(metadata => metadata.Key == "DcpCliPath");

    /// <summary>Where the server on a folder has its data.</summary>
    public string DataFolder => Path.Combine(_folder, "data");

    /// <summary>What the process that references the servers has in its environment.</summary>
    public Dictionary<string, string> Environment { get; private set; } = [];

    public async Task InitializeAsync()
    {
        if (!CanRun) return;
        var access = Path.Combine(_folder, "access.json");
        var environment = Path.Combine(_folder, "environment");
        await File.WriteAllTextAsync(access, Access);
        var command = Path.Combine(AppContext.BaseDirectory, "leases");
        var builder = DistributedApplicationTestingBuilder.Create();
        var leases = builder.AddLeases("leases").WithCommand(command);
        var billing = builder.AddLeases("billing").WithCommand(command)
            .WithDataFolder(DataFolder)
            .WithAccess(access, builder.AddParameter("billing-key", Key, secret: true));
        builder.AddExecutable("worker", "sh", _folder, "-c", $"env -0 > '{environment}'")
            .WithReference(leases).WaitFor(leases)
            .WithReference(billing).WaitFor(billing);
        _app = await builder.BuildAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        await _app.StartAsync(patience.Token);
        var end = await _app.ResourceNotifications.WaitForResourceAsync("worker", KnownResourceStates.TerminalStates, patience.Token);
        Assert.Equal(KnownResourceStates.Finished, end);
        Environment = (await File.ReadAllTextAsync(environment, patience.Token))
            .Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(variable => variable.Split('=', count: 2))
            .ToDictionary(variable => variable[0], variable => variable[1]);
    }

    public async Task DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
