using System.Diagnostics.CodeAnalysis;
using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Dashboard.Tests.Hosting;

/// <summary>One browser for all tests, since it takes longer to start than most of them. Each opens a window of its own in it.</summary>
public sealed class Browser : IAsyncLifetime
{
    private const float PatienceMs = 20_000;

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (Chromium.Path is null) return;
        Assertions.SetDefaultExpectTimeout(PatienceMs);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium.Path,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
            ],
        });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
    }

    internal async Task<IPage> OpenAsync(int width, int height, ColorScheme scheme)
    {
        var context = await _browser!.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme, Locale = "en-GB", TimezoneId = "UTC",
        });
        context.SetDefaultTimeout(PatienceMs);
        return await context.NewPageAsync();
    }
}

/// <summary>What shares the browser.</summary>
[CollectionDefinition(nameof(Browser))]
[SuppressMessage("Naming", "CA1711", Justification = "So xunit calls it.")]
public sealed class BrowserCollection : ICollectionFixture<Browser>;
