using System.Diagnostics;
using System.Text;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>What a run of the tool left behind.</summary>
internal sealed record ToolResult(int Code, string Out, string Error);

/// <summary>The built <c>leases</c> command as a process.</summary>
internal sealed class Tool : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _out = new();
    private readonly StringBuilder _error = new();
    private bool _disposed;

    private Tool(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_out, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Out => Read(_out);

    public string Error => Read(_error);

    public bool HasExited => _process.HasExited;

    /// <summary>The files that the process has mapped: its libraries, among others.</summary>
    public Task<string> LoadedAsync() => File.ReadAllTextAsync($"/proc/{Id}/maps");

    public static async Task<ToolResult> RunAsync(string? server, params string[] arguments)
    {
        await using var tool = Start(server, arguments);
        return await tool.ResultAsync();
    }

    /// <summary>Runs the tool with environment variables.</summary>
    public static async Task<ToolResult> RunAsync(
        string? server, IEnumerable<(string Name, string Value)> environment, params string[] arguments)
    {
        await using var tool = Start(
            server, "/usr/bin/env", [.. environment.Select(variable => $"{variable.Name}={variable.Value}"), Command, .. arguments]);
        return await tool.ResultAsync();
    }

    public static Tool Start(string? server, params string[] arguments) => Start(server, Command, arguments);

    /// <summary>Starts the tool with a limit of open files.</summary>
    public static Tool StartLimited(int openFiles, params string[] arguments) =>
        Start(null, "/bin/sh", ["-c", $"ulimit -n {openFiles}; exec \"$0\" \"$@\"", Command, .. arguments]);

    /// <summary>Starts the tool with environment variables.</summary>
    public static Tool StartWith((string Name, string Value)[] environment, params string[] arguments) =>
        Start(null, "/usr/bin/env", [.. environment.Select(variable => $"{variable.Name}={variable.Value}"), Command, .. arguments]);

    /// <summary>The command's file.</summary>
    public static string Command => Path.Combine(AppContext.BaseDirectory, "leases");

    /// <summary>Starts something else, which uses the tool.</summary>
    public static Tool StartOther(string program, string? server, params string[] arguments) => Start(server, program, arguments);

    private static Tool Start(string? server, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment["LEASES_CONFIG"] = InProcess.NoContexts;
        start.Environment.Remove("LEASES_CONTEXT");
        start.Environment.Remove("LEASES_OWNER");
        start.Environment.Remove("LEASES_SERVER");
        start.Environment.Remove("LEASES_TOKEN");
        start.Environment.Remove("LEASES_TOKEN_FILE");
        if (server is not null) start.Environment["LEASES_SERVER"] = server;
        return new(Process.Start(start)!);
    }

    public async Task TypeAsync(string text)
    {
        await _process.StandardInput.WriteAsync(text);
        await _process.StandardInput.FlushAsync();
    }

    public void CloseInput() => _process.StandardInput.Close();

    public async Task<ToolResult> ResultAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Eventually.Limit, TimeProvider.System);
        return new(_process.ExitCode, Out, Error);
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (text) text.Append(line).Append('\n');
    }

    private static string Read(StringBuilder text)
    {
        lock (text) return text.ToString();
    }
}
