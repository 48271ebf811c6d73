using System.Diagnostics;
using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary><c>leases serve --audit</c>, and <c>leases audit</c>, which reads what it has written.</summary>
public sealed class AuditTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;

    private string AuditFile => Path.Combine(_folder, "audit.jsonl");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Server_ThatIsKilled_LeavesWholeLines_AndTheNextOneGoesOnBehindThem()
    {
        await using (var server = await ServerProcess.StartAsync("--memory", "--audit", AuditFile))
        {
            Assert.Contains($"Changes and refusals are recorded in {AuditFile}", server.Tool.Out, StringComparison.Ordinal);
            Assert.Equal(0, (await Tool.RunAsync(server.Address, "acquire", "jobs/1", "--owner", "ann")).Code);
            await Eventually.TrueAsync(() => File.ReadAllText(AuditFile).EndsWith('\n'), () => "Nothing was recorded.");
            var other = await Tool.RunAsync(null, "serve", "--memory", "--urls", "http://127.0.0.1:0", "--audit", AuditFile);
            Assert.Equal(2, other.Code);
            Assert.EndsWith("Give each server a file of its own. (--audit)\n", other.Error, StringComparison.Ordinal);
            using var process = Process.GetProcessById(server.Tool.Id);
            process.Kill();
            await process.WaitForExitAsync();
        }

        await using (var server = await ServerProcess.StartAsync("--memory", "--audit", AuditFile))
        {
            Assert.Equal(0, (await Tool.RunAsync(server.Address, "key", "put", "jobs/k", "a hidden value")).Code);
            // At a shutdown all is written that was answered.
            await using var kill = Tool.StartOther("/bin/sh", null, "-c", $"kill -TERM {server.Tool.Id}");
            Assert.Equal(0, (await server.Tool.ResultAsync()).Code);
        }

        var read = await Tool.RunAsync(null, "audit", AuditFile);
        Assert.Equal((0, ""), (read.Code, read.Error));
        Assert.Matches(
            "^[0-9TZ:.-]+  anonymous  from 127.0.0.1  acquire  jobs/1  owner ann  token [0-9]+  request [^ ]+  ok\n"
                + "[0-9TZ:.-]+  anonymous  from 127.0.0.1  put-key  jobs/k  request [^ ]+  ok\n$",
            read.Out);
        Assert.DoesNotContain("hidden", await File.ReadAllTextAsync(AuditFile), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_AreFiltered_ByEachOption()
    {
        await File.WriteAllLinesAsync(AuditFile + ".000002", [Line("2030-01-01", "ci", "acquire", "jobs/1", "ok")]);
        await File.WriteAllLinesAsync(AuditFile + ".000010", [Line("2030-01-02", "ci", "acquire", "jobs/2", "held"), "no record"]);
        await File.WriteAllLinesAsync(
            AuditFile,
            [
                Line("2030-01-03", "ann", "put-key", "jobs\u202e ok", "forbidden"),
                Line("2030-01-04T12:00", null, "whoami", null, "unauthorized", omitted: 7),
            ]);

        var all = await Tool.RunAsync(null, "audit", AuditFile);
        Assert.Equal("leases: lines that are no records were left out: 1\n", all.Error);
        Assert.Equal(
            [
                "2030-01-01T00:00:00.000Z  ci  acquire  jobs/1  ok",
                "2030-01-02T00:00:00.000Z  ci  acquire  jobs/2  held",
                @"2030-01-03T00:00:00.000Z  ann  put-key  $'jobs\u202e ok'  forbidden",
                "2030-01-04T12:00:00.000Z  -  whoami  unauthorized  and 7 before it",
            ],
            all.Out.TrimEnd().Split('\n'));
        Assert.Equal("1 2", await DaysAsync("--principal", "ci"));
        Assert.Equal("2", await DaysAsync("--name", "jobs/2"));
        Assert.Equal("1 2", await DaysAsync("--prefix", "jobs/"));
        Assert.Equal("3", await DaysAsync("--verb", "put-key"));
        Assert.Equal("4", await DaysAsync("--outcome", "unauthorized"));
        Assert.Equal("3 4", await DaysAsync("--since", "2030-01-03T01:00+01:00"));
        Assert.Equal("1 2 3 4", await DaysAsync("--since", "1h30m"));
        Assert.Equal("", await DaysAsync("--since", "2030-01-02", "--principal", "ann", "--outcome", "ok"));
    }

    [Fact]
    public async Task File_ThatIsNotThere_AndATimeThatIsNone_AreSaidInOneLine()
    {
        var missing = await Tool.RunAsync(null, "audit", AuditFile);
        var wrong = await Tool.RunAsync(null, "audit", AuditFile, "--since", "soon");

        Assert.Equal((1, ""), (missing.Code, missing.Out));
        Assert.StartsWith($"leases: '{AuditFile}' cannot be read: ", missing.Error, StringComparison.Ordinal);
        Assert.Equal(2, wrong.Code);
        Assert.Contains("--since is 'soon'; it takes a time", wrong.Error, StringComparison.Ordinal);
    }

    private static string Line(string time, string? principal, string verb, string? name, string outcome, int? omitted = null) =>
        JsonSerializer.Serialize(new Dictionary<string, object?>
        {
            ["at"] = time.Contains('T', StringComparison.Ordinal) ? $"{time}:00+00:00" : $"{time}T00:00:00+00:00",
            ["principal"] = principal,
            ["verb"] = verb,
            ["name"] = name,
            ["outcome"] = outcome,
            ["omitted"] = omitted,
        });

    private async Task<string> DaysAsync(params string[] options)
    {
        var read = await Tool.RunAsync(null, ["audit", AuditFile, "--json", .. options]);
        Assert.Equal(0, read.Code);
        Assert.DoesNotContain('\u202e', read.Out);
        return string.Join(' ', read.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("at").GetDateTimeOffset().Day));
    }
}
