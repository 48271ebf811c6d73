using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;
using static Microsoft.Playwright.Assertions;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>How the page holds on to its server, and what it says meanwhile.</summary>
[Collection(nameof(Browser))]
public sealed class LinkTests(Browser browser) : DashboardTest(browser)
{
    [ChromiumFact]
    public async Task Server_WhenLost_IsSaidAndWhatWasMissedIsReadAgain()
    {
        var port = Ports.Free();
        await using var after = EmbeddedLeases.InMemory();
        IPage page;
        await using (var before = await Server.StartAsync(Leases, port))
        {
            await AcquireAsync("before");
            for (var i = 0; i < 5; i++) await ReleaseAsync(await AcquireAsync("in-both"));
            await AcquireAsync("in-both", "ann");
            page = await OpenAsync(server: before);
            await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
            await Expect(page.GetByRole(AriaRole.Link, new() { Name = "before" })).ToBeVisibleAsync();
        }

        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The server was lost at ");
        await Expect(page.Locator("#link")).ToHaveTextAsync("Not connected");
        // What it knew stays.
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "before" })).ToBeVisibleAsync();

        await after.AcquireAsync(new() { Resource = "after", Owner = "ann", Ttl = TimeSpan.FromMinutes(1) });
        // It counts its changes anew.
        await after.AcquireAsync(new() { Resource = "in-both", Owner = "bob", Ttl = TimeSpan.FromMinutes(1) });
        await using var again = await Server.StartAsync(after, port);
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeHiddenAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "after" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "before" })).ToHaveCountAsync(0);
        await Expect(page.Locator(".body .owner-cell")).ToHaveTextAsync(["ann", "bob"]);
    }

    [ChromiumFact]
    public async Task Resync_OfTheWatch_ReadsAllAgain()
    {
        var silent = new SilentLeases(Leases);
        await using var server = await Server.StartAsync(silent);
        var page = await OpenAsync(server: server);
        await Expect(page.GetByText("No name is held.")).ToBeVisibleAsync();

        await AcquireAsync("missed");
        silent.Missed.SetResult();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "missed" })).ToBeVisibleAsync();
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
    }

    [ChromiumFact]
    public async Task Server_ThatFallsSilent_IsCalledAgain()
    {
        var page = await OpenWithClockAsync();
        var again = page.WaitForRequestAsync(request => request.Url.Contains("/v1/watch", StringComparison.Ordinal));
        // Comments come by the server's clock, which goes on as ever.
        await page.Clock.FastForwardAsync(50_000);

        await again;
        await page.Clock.ResumeAsync();
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
    }

    [ChromiumFact]
    public async Task Tab_ThatNobodyLooksAt_ClosesItsWatchUntilItIsLookedAt()
    {
        const string Show = "isHidden => { Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true }); "
            + "document.dispatchEvent(new Event('visibilitychange')); }";
        var page = await OpenWithClockAsync();
        await page.EvaluateAsync(Show, true);
        await page.Clock.FastForwardAsync(61_000);
        await Expect(page.Locator("#link")).ToHaveTextAsync("Paused");

        await AcquireAsync("meanwhile");
        await page.EvaluateAsync(Show, false);
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "meanwhile" })).ToBeVisibleAsync();
    }

    // A window whose clock the test moves.
    private async Task<IPage> OpenWithClockAsync()
    {
        var page = await OpenAsync();
        await page.Clock.InstallAsync();
        await page.ReloadAsync();
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
        return page;
    }

    // Its watch tells nothing but that it may have missed something.
    private sealed class SilentLeases(ILeaseService inner) : ForwardingLeases(inner)
    {
        public TaskCompletionSource Missed { get; } = new();

        public override ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default)
        {
            return new(new LeaseWatch(Events(CancellationToken.None)));

            async IAsyncEnumerable<WatchEvent> Events(
                [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
            {
                await Missed.Task.WaitAsync(stop);
                yield return WatchEvent.Resync.Instance;
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            }
        }
    }
}
