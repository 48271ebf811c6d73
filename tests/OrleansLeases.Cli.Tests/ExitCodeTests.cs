using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

public sealed class ExitCodeTests
{
    private const string Grant =
        """{"resource":"r","owner":"ann","token":7,"mode":"exclusive","ttlMs":30000,"remainingMs":29990,"elapsedMs":"""
        + """12,"renewAfterMs":10000,"requestId":"$ID","replayed":false}""";

    public static TheoryData<int, string> CodeOfEachRefusal => new()
    {
        { 2, Problem(new Refusal.InvalidRequest(new Dictionary<string, string[]> { ["ttlMs"] = ["too short"] }, "too short")) },
        { 1, Problem(new Refusal.Unauthorized("no")) },
        { 1, Problem(new Refusal.Forbidden("no")) },
        { 1, Problem(new Refusal.NotFound("no")) },
        { 3, Problem(new Refusal.Held([], false, 1, TimeSpan.Zero, "held")) },
        { 4, Problem(new Refusal.NotHolder(NotHolderReason.Expired, 7, "expired")) },
        { 1, Problem(new Refusal.Conflict(null, "conflict")) },
        { 1, Problem(new Refusal.LimitReached("waiters", TimeSpan.Zero, "full")) },
        { 5, Problem(new Refusal.OutcomeUnknown("r1", "unknown")) },
        { 5, Problem(new Refusal.Unavailable(TimeSpan.Zero, "starting")) },
    };

    [Theory]
    [MemberData(nameof(CodeOfEachRefusal))]
    public async Task Acquire_WhenRefused_ExitsByTheKindAndPrintsItsJson(int code, string problem)
    {
        await using var server = new ScriptedServer((StatusOf(problem), problem));

        var text = await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann");
        var json = await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann", "--json");

        Assert.Equal((code, ""), (text.Code, text.Out));
        Assert.StartsWith("leases: ", text.Error, StringComparison.Ordinal);
        Assert.Equal(new ToolResult(code, problem + "\n", ""), json);
    }

    [Fact]
    public async Task OutcomeUnknown_NamesARemedyThatTheVerbHas()
    {
        await using var server = new ScriptedServer((503, Problem(new Refusal.OutcomeUnknown("r1", "unknown"))));

        var acquire = await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann");
        var run = await Tool.RunAsync(server.Address, "run", "r", "--owner", "ann", "--", "true");

        Assert.Equal((5, 5), (acquire.Code, run.Code));
        Assert.Contains("--request-id r1", acquire.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--request-id", run.Error, StringComparison.Ordinal);
        Assert.Contains("Run it again", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acquire_ThatWaits_RepeatsItsIdAcrossAnswersThatSayNothing()
    {
        await using var server = new ScriptedServer(
            (503, Problem(new Refusal.Unavailable(TimeSpan.Zero, "starting"))),
            (503, Problem(new Refusal.OutcomeUnknown(null, "unknown"))),
            (502, "<html>Bad Gateway</html>"),
            (200, Grant));

        var result = await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann", "--wait", "1m");

        Assert.Equal(0, result.Code);
        Assert.Equal(4, server.Bodies.Count);
        Assert.Single(server.Bodies.Select(body => JsonDocument.Parse(body).RootElement.GetProperty("requestId").GetString()).Distinct());
        Assert.All(server.Bodies, body => Assert.InRange(JsonDocument.Parse(body).RootElement.GetProperty("waitMs").GetInt32(), 1, 25_000));
    }

    [Fact]
    public async Task Acquire_WhoseGrantEndedUnseen_AsksAgainWithANewId()
    {
        await using var server = new ScriptedServer(
            (409, Problem(new Refusal.NotHolder(NotHolderReason.Expired, 6, "expired"))),
            (200, Grant));

        var result = await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann", "--wait", "1m");

        Assert.Equal(0, result.Code);
        Assert.Equal(
            2, server.Bodies.Select(body => JsonDocument.Parse(body).RootElement.GetProperty("requestId").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task AnyVerb_WithoutAServer_Is5AndSaysHowToStartOne()
    {
        var result = await Tool.RunAsync($"http://127.0.0.1:{ScriptedServer.FreePort()}", "get", "r");

        Assert.Equal((5, ""), (result.Code, result.Out));
        Assert.Contains("leases serve", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acquire")]
    [InlineData("acquire", "r", "--ttl", "30")]
    [InlineData("acquire", "r", "--capacity", "3")]
    [InlineData("acquire", "r", "--meta", "nothing")]
    [InlineData("acquire", "r", "--nonsense")]
    [InlineData("acquire", "r", "--server", "nonsense")]
    [InlineData("renew", "r", "--token", "7")]
    [InlineData("renew", "r", "--owner", "ann")]
    [InlineData("renew", "r", "--owner", "ann", "--token", "seven")]
    [InlineData("break", "r")]
    [InlineData("list", "--state", "lost")]
    [InlineData("get", "a/../b")]
    [InlineData("run", "r")]
    [InlineData("run", "r", "true")]
    [InlineData("serve", "--memory", "--data", "x")]
    [InlineData("nonsense")]
    [InlineData]
    public async Task AnyVerb_WithWrongUsage_Is2AndSaysSoOnStandardError(params string[] arguments)
    {
        var result = await Tool.RunAsync(null, arguments);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.NotEmpty(result.Error);
    }

    [Theory]
    [InlineData("--capacity is 'x'; it takes a whole number from 1 to 2147483647.", "acquire", "r", "--shared", "--capacity", "x")]
    [InlineData("--page-size is '0'; it takes a whole number from 1 to 2147483647.", "list", "--page-size", "0")]
    [InlineData(
        "--if-version is '-1'; it takes a whole number from 0 to 9223372036854775807.", "key", "put", "k", "v", "--if-version", "-1")]
    [InlineData("--delta is '1.5'; it takes", "counter", "add", "k", "--delta", "1.5")]
    [InlineData("--ttl is '30'; it takes a duration such as 500ms, 30s, 5m, 1h30m or 90d.", "acquire", "r", "--ttl", "30")]
    [InlineData("leases key put takes KEY VALUE; VALUE is missing.", "key", "put", "k")]
    [InlineData("leases key takes one of put, get, delete, list.", "key")]
    [InlineData("--lock-delay is for exclusive leases", "acquire", "r", "--shared", "--lock-delay", "1s")]
    [InlineData("--ttl is for keys without a lease", "key", "put", "k", "v", "--ttl", "1s", "--lease", "r", "--owner", "o", "--token", "1")]
    [InlineData("--hold-at-least is for exclusive leases", "run", "r", "--shared", "--hold-at-least", "1s", "--", "true")]
    [InlineData("--state is '\\u202e'; it takes held, free or any.", "list", "--state", "\u202e")]
    [InlineData("__guard is a part of `leases run`", "__guard")]
    [InlineData("__guard is a part of `leases run`", "__guard", "1", "2", "3", "4", "5")]
    [InlineData("__guard is a part of `leases run`", "__guard", "x", "97", "98", "99", "true")]
    public async Task AnyVerb_WithWrongUsage_NamesTheOptionAndTheRemedy(string message, params string[] arguments)
    {
        var result = await Tool.RunAsync(null, arguments);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith($"leases: {message}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("acquire")]
    [InlineData("renew")]
    [InlineData("release")]
    [InlineData("transfer")]
    [InlineData("break")]
    [InlineData("get")]
    [InlineData("list")]
    [InlineData("history")]
    [InlineData("run")]
    [InlineData("epoch", "show")]
    [InlineData("epoch", "bump")]
    public async Task Help_OfEachVerb_HasExamples(params string[] verb)
    {
        var result = await Tool.RunAsync(null, [.. verb, "--help"]);

        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.Contains($"Examples:\n  leases {string.Join(' ', verb)}", result.Out, StringComparison.Ordinal);
    }

    private static string Problem(Refusal refusal) => JsonSerializer.Serialize(refusal, LeaseJson.Default.Refusal);

    private static int StatusOf(string problem) => JsonDocument.Parse(problem).RootElement.GetProperty("status").GetInt32();
}
