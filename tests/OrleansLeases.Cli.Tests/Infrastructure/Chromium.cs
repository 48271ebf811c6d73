using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>A test in a real browser, where there is one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (Chromium.Path is null) Skip = "There is no Chromium on this machine; install Debian's package 'chromium'.";
    }
}

/// <summary>A browser without a window, with a profile of its own.</summary>
internal sealed partial class Chromium : IAsyncDisposable
{
    private readonly string _profile = Directory.CreateTempSubdirectory("chromium-").FullName;
    private readonly StringBuilder _log = new();
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _control = new();
    private readonly HttpClient _http = new();

    private Chromium(string[] options)
    {
        var start = new ProcessStartInfo(Path!) { RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", $"--user-data-dir={_profile}", .. options,
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log) _log.AppendLine(line.Data);
            if (Control().Match(line.Data ?? "") is { Success: true } told) _control.TrySetResult(new($"http://{told.Groups[1].Value}/"));
        };
        _process.BeginErrorReadLine();
    }

    /// <summary>Where it is; null where there is none.</summary>
    public static string? Path { get; } = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);

    /// <summary>Starts it, until it is disposed of.</summary>
    public static async Task<Chromium> StartAsync(params string[] options)
    {
        var browser = new Chromium(["--remote-debugging-port=0", .. options]);
        await browser._control.Task.WaitAsync(Eventually.Limit, TimeProvider.System);
        return browser;
    }

    /// <summary>Loads a page in a browser of its own, until its scripts have nothing more to do.</summary>
    /// <returns>The page as it has become, and what the browser logged.</returns>
    public static async Task<(string Page, string Log)> LoadAsync(string address)
    {
        // Time passes as fast as the page lets it.
        await using var browser = new Chromium(
            ["--dump-dom", "--virtual-time-budget=15000", "--enable-logging=stderr", address]);
        var page = await browser._process.StandardOutput.ReadToEndAsync().WaitAsync(Eventually.Limit, TimeProvider.System);
        await browser._process.WaitForExitAsync();
        lock (browser._log) return (page, browser._log.ToString());
    }

    /// <summary>Opens a page in a tab of its own.</summary>
    public async Task OpenAsync(string address)
    {
        using var response = await _http.PutAsync(new Uri(await _control.Task, $"json/new?{Uri.EscapeDataString(address)}"), content: null);
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_profile, recursive: true);
    }

    [GeneratedRegex("^DevTools listening on ws://([^/]+)/")]
    private static partial Regex Control();
}
