using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>The verbs that work on a data folder: what goes wrong is one line and 1, never a stack.</summary>
public sealed class FolderVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;

    private string Data => Path.Combine(_folder, "data");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("epoch", "show")]
    [InlineData("epoch", "bump")]
    [InlineData("serve", "--urls", "http://127.0.0.1:0")]
    [InlineData("backup", "copy.db")]
    public async Task Verb_OnADamagedFile_Is1InOneLine(params string[] verb)
    {
        Directory.CreateDirectory(Data);
        await File.WriteAllTextAsync(Path.Combine(Data, "leases.db"), new string('x', 4096));

        var result =
            await Tool.RunAsync(null, [.. verb.Select(word => word == "copy.db" ? Path.Combine(_folder, word) : word), "--data", Data]);

        Assert.Equal((1, ""), (result.Code, result.Out));
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("leases restore", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BackupOfARunningServer_Restored_HasItsLeasesInALaterEpoch()
    {
        var backup = Path.Combine(_folder, "backup.db");
        await using (var server = await ServerProcess.StartAsync("--data", Data))
        {
            Assert.Equal(0, (await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann", "--ttl", "1h")).Code);
            var made = await Tool.RunAsync(null, "backup", backup, "--data", Data);
            Assert.Equal(new ToolResult(0, $"Copied and verified: {backup}\n", ""), made);
            Assert.Equal(1, (await Tool.RunAsync(null, "backup", backup, "--data", Data)).Code);
            Assert.Equal(1, (await Tool.RunAsync(null, "restore", backup, "--data", Data)).Code);
        }

        var restored = await Tool.RunAsync(null, "restore", backup, "--data", Data);
        Assert.Equal((0, true), (restored.Code, restored.Out.Contains("epoch 1", StringComparison.Ordinal)));
        Assert.Contains("wait", restored.Error, StringComparison.Ordinal);
        await using var after = await ServerProcess.StartAsync("--data", Data);
        Assert.Equal(3, (await Tool.RunAsync(after.Address, "acquire", "r", "--owner", "bob")).Code);
    }
}
