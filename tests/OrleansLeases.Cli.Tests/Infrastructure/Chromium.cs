using System.Diagnostics;

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
internal sealed class Chromium : IAsyncDisposable
{
    private readonly string _profile = Directory.CreateTempSubdirectory("chromium-").FullName;
    private readonly Process _process;

    private Chromium(string address, string[] options)
    {
        var start = new ProcessStartInfo(Path!) { RedirectStandardError = true, RedirectStandardOutput = true };
        string[] arguments =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", $"--user-data-dir={_profile}", .. options, address,
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
    }

    /// <summary>Where it is; null where there is none.</summary>
    public static string? Path { get; } = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser" }.FirstOrDefault(File.Exists);

    /// <summary>Opens a page, until it is disposed of.</summary>
    public static Chromium Open(string address, params string[] options) => new(address, options);

    /// <summary>What a page looks like once it is loaded.</summary>
    public static async Task<string> ReadAsync(string address, params string[] options)
    {
        await using var browser = Open(address, ["--dump-dom", .. options]);
        return await browser._process.StandardOutput.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_profile, recursive: true);
    }
}
