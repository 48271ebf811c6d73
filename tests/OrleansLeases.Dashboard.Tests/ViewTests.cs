using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>Every view: what it shows, for whom it can be read, and on what.</summary>
[Collection(nameof(Browser))]
public sealed class ViewTests(Browser browser) : DashboardTest(browser)
{
    private static readonly string[] Views = ["#/?state=any", "#/lease/leader", "#/keys", "#/key/leader/address", "#/service"];

    [ChromiumFact]
    public async Task Keys_AreListedAndFollowed()
    {
        await FillAsync();
        var page = await OpenAsync("#/keys");
        var names = page.Locator(".body .name-cell");
        await Expect(names).ToHaveTextAsync(["config", "leader/address"]);
        await Expect(page.Locator(".body .lease-cell")).ToHaveTextAsync(["free-standing", "leader of ann"]);

        await Leases.PutKeyAsync("another", new() { Value = "1" });
        await Expect(names).ToHaveTextAsync(["another", "config", "leader/address"]);
        await Leases.DeleteKeyAsync("config");
        await Expect(names).ToHaveTextAsync(["another", "leader/address"]);

        await names.Filter(new() { HasText = "leader/address" }).GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.Locator("pre")).ToHaveTextAsync("10.0.0.7:8080");
        await page.GetByRole(AriaRole.Link, new() { Name = "leader", Exact = true }).ClickAsync();
        await Expect(page.Locator(".headline")).ToContainTextAsync("Held by ann");
    }

    [ChromiumFact]
    public async Task Service_SaysWhatItIsAndWhatThePageHasSeen()
    {
        await FillAsync();
        var page = await OpenAsync("#/service");
        await Expect(page.Locator(".servers .state")).ToHaveTextAsync("ready");
        await Expect(page.Locator(".facts").First).ToContainTextAsync("in memory");
        await Expect(page.Locator(".facts").First).ToContainTextAsync("Grace");
        await Expect(page.Locator(".members .state")).ToHaveTextAsync("ready");
        await Expect(page.Locator(".members .card")).ToContainTextAsync("Leases in memory");
        await Expect(page.Locator(".members .card")).ToContainTextAsync("Records stored");
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");

        await ReleaseAsync(await AcquireAsync("r"));
        await Expect(page.Locator(".ends").GetByText("1", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(page.Locator(".chart").First.Locator(".value")).ToContainTextAsync("ms");
        await Expect(page.GetByRole(AriaRole.Img, new() { Name = "Round trip, the last five minutes" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Img, new() { Name = "Grants" })).ToBeVisibleAsync();
    }

    [ChromiumFact]
    public async Task View_OfEachKind_IsAccessibleInLightAndDark()
    {
        await FillAsync();
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            // What is dark differs in its colours alone.
            var options = scheme == ColorScheme.Dark ? """{ "runOnly": ["color-contrast"] }""" : "{}";
            var page = await OpenAsync(Views[0], scheme: scheme);
            await page.EvaluateAsync(new BundledAxeScriptProvider().GetScript());
            foreach (var view in Views)
            {
                await GoAsync(page, view);
                await AssertAccessibleAsync(page, view, options);
            }

            await GoAsync(page, "#/lease/leader");
            await page.GetByRole(AriaRole.Button, new() { Name = "Break…" }).ClickAsync();
            await AssertAccessibleAsync(page, "the dialog", options);
        }
    }

    [ChromiumFact]
    public async Task View_OfEachKind_FitsATelephone()
    {
        await FillAsync();
        var page = await OpenAsync(Views[0], width: 390, height: 844);
        foreach (var view in Views)
        {
            await GoAsync(page, view);
            var tooWide = await page.EvaluateAsync<string[]>(
                """
                [...document.querySelectorAll('html, .view, .rows, .scroll')]
                  .filter(element => element.scrollWidth > element.clientWidth)
                  .map(element => `${element.tagName} ${element.className}`)
                """);
            Assert.True(tooWide.Length == 0, $"{view}: {string.Join(", ", tooWide)}");
        }
    }

    private async Task FillAsync()
    {
        var grant = await AcquireAsync("leader", "ann", 600, request => request with
        {
            Metadata = new Dictionary<string, string> { ["pod"] = "p-7" },
        });
        await Leases.PutKeyAsync("config", new() { Value = "{}" });
        await Leases.PutKeyAsync("leader/address", new()
        {
            Value = "10.0.0.7:8080", Lease = new() { Resource = "leader", Owner = "ann", Token = grant.Token },
        });
        await AcquireAsync("a-name-that-is-longer-than-a-telephone-is-wide/and-goes-on/and-on", "an-owner-who-has-a-long-name-too", 600);
        await ReleaseAsync(await AcquireAsync("names/\u202efree", "bob"));
        await AcquireAsync("pool", "ann", 600, request => request with { Mode = LeaseMode.Shared, Capacity = 2 });
        await Leases.BreakAsync(new() { Resource = "pool", Grace = TimeSpan.FromHours(1), Reason = "upkeep" });
    }

    private async Task GoAsync(IPage page, string view)
    {
        await page.GotoAsync($"{Server.Address}/{view}");
        await Expect(page.GetByText("Reading…").And(page.Locator(":visible"))).ToHaveCountAsync(0);
        await Expect(page.Locator(".body .row, .card, pre").First).ToBeVisibleAsync();
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
    }

    private static async Task AssertAccessibleAsync(IPage page, string view, string options)
    {
        var violations = await page.EvaluateAsync<string[]>($$"""
            async () => {
              const { violations } = await axe.run({{options}});
              return violations.map(({ id, impact, nodes }) => `${id}, ${impact}: ${nodes.map(node => node.html).join(', ')}`);
            }
            """);
        Assert.True(violations.Length == 0, $"{view}: {string.Join("; ", violations)}");
    }
}
