using OrleansLeases.Cli.Commands;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("'acquir' is no verb of `leases`; did you mean acquire?", "acquir")]
    [InlineData("'aqcuire' is no verb of `leases`; did you mean acquire?", "aqcuire", "r", "--ttl", "30s")]
    [InlineData("'re' is no verb of `leases`; did you mean renew or release or restore?", "re")]
    [InlineData("'serv' is no verb of `leases`; did you mean serve?", "serv", "--memory")]
    [InlineData("'pt' is no verb of `leases key`; did you mean put?", "key", "pt", "k", "v")]
    [InlineData("'xyzzy' is no verb of `leases key`, which takes one of put, get, delete, list.", "key", "xyzzy")]
    [InlineData("'kye' is no verb of `leases`; did you mean key?", "help", "kye")]
    [InlineData("'--tll' is no option of `leases acquire`; did you mean --ttl?\n", "acquire", "r", "--tll", "3s")]
    [InlineData("'--time' is no option of `leases get`; did you mean --timeout?\n", "get", "r", "--time=3s")]
    [InlineData("'--nonsense' is no option of `leases get`.\n", "get", "r", "--nonsense")]
    [InlineData("'--vers' is no option of `leases get`. For RESOURCE to begin with -, put -- before it.", "get", "--vers")]
    [InlineData("'b' is one argument too many: `leases get RESOURCE`.", "get", "a", "b")]
    [InlineData("--timeout is 0; it takes 1ms to 24h.", "list", "--timeout", "0")]
    [InlineData("--timeout is '1h30'; it takes a duration", "list", "--timeout", "1h30")]
    [InlineData("--interval is 99ms; it takes 100ms to 24h.", "top", "--interval", "99ms")]
    [InlineData("'jobs/' is one argument too many: `leases list`; did you mean --prefix jobs/?\n", "list", "jobs/")]
    [InlineData("'x' is one argument too many: `leases status`. A value of several words is quoted.\n", "status", "x")]
    [InlineData("'--sinec' is no option of `leases audit`; did you mean --since?", "audit", "--sinec")]
    [InlineData("--ttl takes a value: --ttl DURATION.\n", "acquire", "r", "--ttl")]
    [InlineData("--data takes a value: --data DIR.\n", "epoch", "show", "--data=")]
    [InlineData("leases break takes --reason TEXT, which is missing: Why, for the holder and the history.\nSee", "break", "r")]
    [InlineData("leases renew takes --token TOKEN, which is missing: The token of the grant.\nSee", "renew", "r")]
    [InlineData("--token is no whole number, and so was taken for a credential;", "renew", "r", "--owner", "ann", "--token", "seven")]
    public async Task WhatIsNotKnown_Is2_AndSaysWhatIsLikelyMeant(string message, params string[] arguments)
    {
        var result = await InProcess.RunAsync(null, arguments);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith($"leases: {message}", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--data is empty; name a folder.", "serve", "--data", "")]
    [InlineData("--data is empty; name a folder.", "epoch", "show", "--data", "")]
    [InlineData("--access is empty; name a file.", "serve", "--memory", "--access", "")]
    [InlineData("--audit is empty; name a file.", "serve", "--memory", "--audit", "")]
    [InlineData("--cacert is empty; name a file.", "list", "--cacert", "")]
    [InlineData("--client-cert is empty; name a file.", "key", "list", "--client-cert", "")]
    [InlineData("--token-file is empty; name a file.", "context", "set", "prod", "--server", "http://x", "--token-file", "")]
    [InlineData("CONTEXT is empty; name a context.", "context", "set", "", "--server", "http://x")]
    [InlineData("--context is empty; name a context.", "list", "--context", "")]
    [InlineData("FILE is empty; name a file.", "backup", "")]
    [InlineData("FILE is empty; name a file.", "restore", "")]
    [InlineData("FILE is empty; name a file.", "audit", "")]
    public async Task EmptyPath_Is2_AndSaysWhatItTakes(string message, params string[] arguments)
    {
        var result = await InProcess.RunAsync(null, arguments);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith($"leases: {message}\n", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acquire", null)]
    [InlineData("lsit", "list")]
    [InlineData("xs", null)]
    [InlineData("nope", null)]
    public void DidYouMean_OfAWord_IsWhatIsNear(string word, string? likely) =>
        Assert.Equal(likely, DidYouMean.Of(word, ["list", "get", "history", "top"]));

    [Fact]
    public async Task Help_OfAVerb_IsWhatItsOptionPrints()
    {
        Assert.Equal(await InProcess.RunAsync(null, "key", "put", "--help"), await InProcess.RunAsync(null, "help", "key", "put"));
        Assert.Equal(await InProcess.RunAsync(null, "--help"), await InProcess.RunAsync(null, "help"));
    }

    [Fact]
    public async Task Version_IsWhatItsOptionPrints()
    {
        var version = await InProcess.RunAsync(null, "version");

        Assert.Equal(await Tool.RunAsync(null, "--version"), version);
        Assert.Equal($"{{\"version\":\"{version.Out.TrimEnd()}\"}}\n", (await InProcess.RunAsync(null, "version", "--json")).Out);
    }
}
