using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using OrleansLeases.Embedded;

namespace OrleansLeases.Dashboard.Tests.Hosting;

/// <summary>A test with a service, a server of it, and windows that look at it. None of them may fail behind the page.</summary>
/// <param name="browser">The browser of all tests.</param>
/// <param name="time">The service's clock.</param>
public abstract class DashboardTest(Browser browser, TimeProvider? time = null) : IAsyncLifetime
{
    private readonly List<string> _faults = [];
    private readonly List<IBrowserContext> _windows = [];

    internal EmbeddedLeases Leases { get; } = EmbeddedLeases.InMemory(time: time);

    private protected Server Server { get; private set; } = null!;

    private protected virtual Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>>? Authenticate => null;

    public async Task InitializeAsync() => Server = await Server.StartAsync(Leases, authenticate: Authenticate);

    public async Task DisposeAsync()
    {
        foreach (var window in _windows) await window.CloseAsync();
        await Server.DisposeAsync();
        await Leases.DisposeAsync();
        Assert.Empty(_faults);
    }

    private protected async Task<IPage> OpenAsync(
        string hash = "#/", int width = 1280, int height = 800, ColorScheme scheme = ColorScheme.Light, Server? server = null)
    {
        var page = await browser.OpenAsync(width, height, scheme);
        _windows.Add(page.Context);
        page.PageError += (_, error) => _faults.Add(error);
        // What the policy forbids, and what a module complains of. A call that is refused, or not answered, is the test's business.
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
                _faults.Add(message.Text);
        };
        await page.GotoAsync($"{(server ?? Server).Address}/{hash}");
        return page;
    }

    private protected async Task<LeaseGrant> AcquireAsync(
        string resource, string owner = "ann", double seconds = 60, Func<AcquireRequest, AcquireRequest>? with = null)
    {
        var request = new AcquireRequest { Resource = resource, Owner = owner, Ttl = TimeSpan.FromSeconds(seconds) };
        return (await Leases.AcquireAsync(with?.Invoke(request) ?? request)).Value!;
    }

    private protected async Task ReleaseAsync(LeaseGrant grant) => Assert.Null((await Leases.ReleaseAsync(
        new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token })).Refusal);
}
