using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>What the page shows and offers is what its reader may see and do.</summary>
[Collection(nameof(Browser))]
public sealed class RightsTests(Browser browser) : DashboardTest(browser)
{
    private const string Key = "the-key-of-ci";
    private bool _isRevoked;

    private protected override Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>> Authenticate => context =>
        new(context.Request.Headers.Authorization == $"Bearer {Key}" && !Volatile.Read(ref _isRevoked)
            ? new LeaseCaller("ci", () => new("ci",
            [
                new() { Prefix = "jobs", Rights = LeaseRights.Read | LeaseRights.Break },
                new() { Prefix = "seen", Rights = LeaseRights.Read },
            ]))
            : new Refusal.Unauthorized("No key that is valid came with the call."));

    [ChromiumFact]
    public async Task Key_IsAskedForTakenAndKeptInMemoryAlone()
    {
        foreach (var name in new[] { "jobs/1", "seen/1", "hidden/1" }) await AcquireAsync(name);
        var page = await OpenAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("API key").FillAsync("wrong");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Open" }).ClickAsync();
        await Expect(dialog.GetByRole(AriaRole.Alert)).ToHaveTextAsync("No key that is valid came with the call.");
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToBeVisibleAsync();

        await dialog.GetByLabel("API key").FillAsync(Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".body .name-cell")).ToHaveTextAsync(["jobs/1", "seen/1"]);
        await Expect(page.Locator("#who")).ToContainTextAsync("ci");

        await page.GetByRole(AriaRole.Link, new() { Name = "jobs/1" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Break…" })).ToBeVisibleAsync();
        await page.GotoAsync($"{Server.Address}/#/lease/seen/1");
        await Expect(page.Locator(".holder")).ToHaveTextAsync("ann");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Break…" })).ToHaveCountAsync(0);
        await page.GotoAsync($"{Server.Address}/#/lease/hidden/1");
        await Expect(page.Locator(".headline")).ToContainTextAsync("'ci' has no right");

        Assert.Equal(0, await page.EvaluateAsync<int>("localStorage.length + sessionStorage.length + document.cookie.length"));
        Assert.DoesNotContain(Key, page.Url, StringComparison.Ordinal);
        await page.ReloadAsync();
        await Expect(dialog).ToBeVisibleAsync();
    }

    [ChromiumFact]
    public async Task Key_WhenRevoked_IsAskedForAgain()
    {
        await AcquireAsync("jobs/1");
        var page = await OpenAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("API key").FillAsync(Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".body .name-cell")).ToHaveTextAsync(["jobs/1"]);

        Volatile.Write(ref _isRevoked, true);
        await page.GetByLabel("Name starts with").FillAsync("jobs");
        await Expect(dialog.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The key is no longer valid.");
        Volatile.Write(ref _isRevoked, false);
        await dialog.GetByLabel("API key").FillAsync(Key);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".body .name-cell")).ToHaveTextAsync(["jobs/1"]);
    }
}
