using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using static Microsoft.Playwright.Assertions;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>The list of leases, as it follows what happens.</summary>
[Collection(nameof(Browser))]
public sealed partial class LeaseListTests(Browser browser) : DashboardTest(browser)
{
    [ChromiumFact]
    public async Task Lease_WhenTakenAndReleased_ComesAndGoes()
    {
        var page = await OpenAsync();
        await Expect(page.GetByText("No name is held.")).ToBeVisibleAsync();

        var grant = await AcquireAsync("orders/42", "worker-1", 60);
        var row = Row(page, "orders/42");
        await Expect(row.Locator(".owner-cell")).ToHaveTextAsync("worker-1");
        await Expect(row.Locator(".token-cell")).ToHaveTextAsync($"{grant.Token}");
        // Of what a watch does not tell, the row is read.
        await Expect(row.Locator(".seconds")).ToHaveTextAsync(Seconds());
        await Expect(page.GetByText("1 name held")).ToBeVisibleAsync();

        await ReleaseAsync(grant);
        await Expect(row).ToHaveCountAsync(0);
        await Expect(page.GetByText("No name is held.")).ToBeVisibleAsync();
    }

    [ChromiumFact]
    public async Task Time_OfALease_CountsDownAndIsSetBackByARenewal()
    {
        var grant = await AcquireAsync("r", seconds: 9.5);
        var page = await OpenAsync();
        var left = Row(page, "r").Locator(".seconds");
        await Expect(left).ToHaveTextAsync(new Regex(@"^[5-7]\.\d s$"));

        var renewed = await Leases.RenewAsync(new()
        {
            Resource = "r", Owner = "ann", Token = grant.Token, Ttl = TimeSpan.FromMinutes(10),
        });
        Assert.Null(renewed.Refusal);
        await Expect(left).ToHaveTextAsync(new Regex(@"^9 m 5\d s$"));
    }

    [ChromiumFact]
    public async Task Search_ByPrefixOwnerAndState_ShowsWhatFitsAndStaysLive()
    {
        await AcquireAsync("jobs/1", "ann");
        await AcquireAsync("jobs/2", "bob");
        await AcquireAsync("orders/1", "ann");
        await ReleaseAsync(await AcquireAsync("jobs/3", "ann"));
        await AcquireAsync("jobs/4", "ann", 0.1, request => request with { LockDelay = TimeSpan.FromHours(1) });
        var page = await OpenAsync();
        await Expect(Names(page)).ToHaveTextAsync(["jobs/1", "jobs/2", "orders/1"]);

        await page.GetByLabel("Name starts with").FillAsync("jobs/");
        await Expect(Names(page)).ToHaveTextAsync(["jobs/1", "jobs/2"]);
        await page.GetByLabel("Held by").FillAsync("ann");
        await Expect(Names(page)).ToHaveTextAsync(["jobs/1"]);
        await AcquireAsync("jobs/5", "ann");
        await AcquireAsync("jobs/6", "bob");
        await Expect(Names(page)).ToHaveTextAsync(["jobs/1", "jobs/5"]);
        Assert.EndsWith("#/?prefix=jobs%2F&owner=ann", page.Url, StringComparison.Ordinal);

        await page.GetByLabel("Held by").FillAsync("");
        await page.GetByLabel("Not held").CheckAsync();
        await Expect(Names(page)).ToHaveTextAsync(["jobs/3", "jobs/4"]);
        await Expect(page.Locator(".body .state")).ToHaveTextAsync(["free", "delayed"]);
        await Expect(Row(page, "jobs/4").Locator(".seconds")).ToHaveTextAsync(new Regex("^59 m"));

        await page.ReloadAsync();
        await Expect(Names(page)).ToHaveTextAsync(["jobs/3", "jobs/4"]);
    }

    [ChromiumFact]
    public async Task Names_OfAnyCharacter_StayText()
    {
        string[] names = ["<img src=x onerror=alert(1)>", "a b?c#d&e=%2F", "names/\u202egnp.exe", "zero\u200bwidth", "日本/\U0001F600"];
        foreach (var name in names) await AcquireAsync(name, $"o {name}");
        var page = await OpenAsync();
        page.Dialog += (_, _) => Assert.Fail("A name ran as code.");
        await Expect(Names(page)).ToHaveTextAsync([names[0], names[1], "names/\\u202egnp.exe", "zero\\u200bwidth", names[4]]);
        await Expect(page.Locator(".body img")).ToHaveCountAsync(0);

        for (var i = 0; i < names.Length; i++)
        {
            await Names(page).Nth(i).ClickAsync();
            await Expect(page.Locator(".headline")).ToContainTextAsync("Held by o ");
            await Expect(page.Locator(".card .seconds")).ToHaveTextAsync(Seconds());
            await page.ReloadAsync();
            await Expect(page.Locator(".events tbody tr")).ToHaveCountAsync(1);
            await page.GetByRole(AriaRole.Link, new() { Name = "Leases" }).First.ClickAsync();
        }
    }

    [ChromiumFact]
    public async Task Keyboard_MovesThroughTheRowsAndOpensOne()
    {
        for (var i = 0; i < 100; i++) await AcquireAsync($"r/{i:00}");
        var page = await OpenAsync();
        await Expect(Names(page).First).ToHaveTextAsync("r/00");

        await page.Keyboard.PressAsync("/");
        await Expect(page.GetByLabel("Name starts with")).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Table).FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(Focused(page)).ToHaveTextAsync("r/01");
        await page.Keyboard.PressAsync("End");
        await Expect(Focused(page)).ToHaveTextAsync("r/99");
        await page.Keyboard.PressAsync("ArrowUp");
        await Expect(Focused(page)).ToHaveTextAsync("r/98");
        await Expect(Focused(page)).ToBeInViewportAsync();

        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("r/98");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeFocusedAsync();
    }

    private static ILocator Row(IPage page, string name) =>
        page.Locator(".body .row").Filter(new() { Has = page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }) });

    private static ILocator Names(IPage page) => page.Locator(".body .name-cell a");

    private static ILocator Focused(IPage page) => page.Locator(".body a:focus");

    [GeneratedRegex(@"^\d+(\.\d)? s$")]
    private static partial Regex Seconds();
}
