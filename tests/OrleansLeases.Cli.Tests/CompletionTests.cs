using System.Globalization;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>The scripts of <c>leases completion</c>, in the shells themselves.</summary>
public sealed class CompletionTests(ServerProcess server) : IClassFixture<ServerProcess>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-completion-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Bash_CompletesVerbsOptionsAndValues_WithoutAServer() => Assert.Equal(
        """
        leases acq: acquire
        leases key : delete get list put
        leases list --st: --state
        leases list --state : any free held
        leases --server x key pu: put
        leases help ac: acquire
        leases completion : bash fish zsh
        leases get r more: 
        leases backup /etc/hostn: /etc/hostname
        leases run r -- mkdi: mkdir

        """,
        await BashAsync(
            "leases acq", "leases key ", "leases list --st", "leases list --state ", "leases --server x key pu", "leases help ac",
            "leases completion ", "leases get r more", "leases backup /etc/hostn", "leases run r -- mkdi"));

    [Fact]
    public async Task Bash_CompletesNames_AndRunsNothingOfThem()
    {
        var proof = Path.Combine(_folder, "proof");
        string[] names = ["b/plain", $"b/$(touch {proof})", $"b/`touch {proof}`;x", "b/it's a", "b/turned\u202e", "c:d/e", "c:d/f"];
        foreach (var name in names)
            Assert.Equal(0, (await InProcess.RunAsync(server.Address, "acquire", name, "--ttl", "1h")).Code);
        Assert.Equal(0, (await InProcess.RunAsync(server.Address, "key", "put", "b/key", "1")).Code);

        // Bash shows what it is given, quoted for the line; what follows a colon is a word of its own to it. Who asks with what cannot be
        // read is told no names.
        Assert.Equal(
            $"""
            leases get b/: b/\$\(touch\ {proof}\) b/\`touch\ {proof}\`\;x b/it\'s\ a b/plain
            leases release c:d: d/e d/f
            leases key get b: b/key
            leases key put k v --lease b/p: b/plain
            leases --server http://127.0.0.1:1 get b: 
            leases --client-cert /none get b/p: 
            leases --client-key /none get b/p: 

            """,
            await BashAsync(
                "leases get b/", "leases release c:d", "leases key get b", "leases key put k v --lease b/p",
                "leases --server http://127.0.0.1:1 get b", "leases --client-cert /none get b/p", "leases --client-key /none get b/p"));
        Assert.False(File.Exists(proof));
    }

    [ShellFact("fish")]
    public async Task Fish_CompletesVerbsOptionsValuesAndNames()
    {
        await InProcess.RunAsync(server.Address, "acquire", "fish/it's a", "--ttl", "1h");
        var result = await RunAsync(
            "fish", "--no-config", "-c",
            $"source {await ScriptAsync("fish")}; for line in 'leases acq' 'leases key pu' 'leases list --state h' 'leases acquire r --lo' "
                + "'leases get fish/' 'leases get r more'; complete -C $line; end");
        Assert.Equal(
            new ToolResult(
                0,
                """
                acquire	Take a lease on a resource
                put	Write a key
                held	Which resources: with a holder, without one, or all ever used
                --lock-delay	How long other owners wait after this lease expires or is broken by force
                fish/it's a

                """,
                ""),
            result);
    }

    [ShellFact("zsh")]
    public async Task Zsh_CompletesVerbsOptionsValuesAndNames()
    {
        await InProcess.RunAsync(server.Address, "acquire", "zsh/it's a", "--ttl", "1h");
        // In place of the completion system, which needs a terminal: it sets the words, and gets the names of arrays.
        var result = await RunAsync(
            "zsh", "-f", "-c",
            $"compdef() {{ }}; source {await ScriptAsync("zsh")}; "
                + "_describe() { print -rl -- ${(PM)2:#$PREFIX*} }; compadd() { print -rl -- ${(PM)2:#$PREFIX*} }; "
                + "for line in 'acq' 'key pu' 'list --state h' 'acquire r --lo' 'get zsh/' 'get r more'; do "
                + "words=(leases ${=line}) CURRENT=$#words PREFIX=$words[-1]; _leases; done; true");
        Assert.Equal(
            new ToolResult(
                0,
                """
                acquire:Take a lease on a resource
                put:Write a key
                held
                --lock-delay:How long other owners wait after this lease expires or is broken by force
                zsh/it's a

                """,
                ""),
            result);
    }

    private async Task<string> BashAsync(params string[] lines)
    {
        var script = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        script.WriteLine($"source {await ScriptAsync("bash")}; compopt() {{ :; }}");
        foreach (var line in lines)
            script.WriteLine(
                $"COMP_LINE='{line}' COMP_POINT={line.Length} COMPREPLY=(); _leases leases; printf '%s: ' '{line}'; "
                    + "printf '%s\\n' \"${COMPREPLY[@]}\" | sort -u | paste -sd ' '");
        var result = await RunAsync("bash", "--norc", "-c", script.ToString());
        Assert.Equal((0, ""), (result.Code, result.Error));
        return result.Out;
    }

    private async Task<string> ScriptAsync(string shell)
    {
        var path = Path.Combine(_folder, $"leases.{shell}");
        await File.WriteAllTextAsync(path, (await InProcess.RunAsync(null, "completion", shell)).Out);
        return path;
    }

    private async Task<ToolResult> RunAsync(string shell, params string[] arguments)
    {
        string[] environment =
            [$"PATH={AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}", $"HOME={_folder}", "LC_ALL=C.UTF-8"];
        await using var tool = Tool.StartOther("/usr/bin/env", server.Address, [.. environment, shell, .. arguments]);
        return await tool.ResultAsync();
    }
}
