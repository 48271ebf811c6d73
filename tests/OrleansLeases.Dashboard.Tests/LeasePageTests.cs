using System.Text.RegularExpressions;
using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using OrleansLeases.Testing;
using static Microsoft.Playwright.Assertions;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>The page of one resource: who has it, why others do not, and how a lease is broken.</summary>
[Collection(nameof(Browser))]
public sealed class LeasePageTests : DashboardTest
{
    private readonly ManualTimeProvider _time;

    public LeasePageTests(Browser browser)
        : this(browser, new ManualTimeProvider())
    {
    }

    private LeasePageTests(Browser browser, ManualTimeProvider time)
        : base(browser, time) => _time = time;

    [ChromiumFact]
    public async Task Break_FromThePage_EndsTheLeaseAndTheHistorySaysWhy()
    {
        await AcquireAsync("orders/42", "worker-1");
        var page = await OpenAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "orders/42" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Break…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Reason").FillAsync("deployment of 4.2");
        await dialog.GetByLabel("Notice in seconds").FillAsync("0");
        await dialog.GetByLabel("Force").CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Break the lease" }).ClickAsync();

        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(page.Locator(".title .state")).ToHaveTextAsync("free");
        await Expect(page.Locator(".headline")).ToContainTextAsync("worker-1 (token ");
        await Expect(page.Locator(".headline")).ToContainTextAsync("lost it: it was broken (deployment of 4.2)");
        await Expect(page.Locator(".events tbody tr").First).ToContainTextAsync("Broken: deployment of 4.2");
    }

    [ChromiumFact]
    public async Task Break_WithANotice_IsShownUntilTheLeaseEnds()
    {
        await AcquireAsync("r", "worker-1", 30);
        var page = await OpenAsync("#/lease/r");
        await page.GetByRole(AriaRole.Button, new() { Name = "Break…" }).ClickAsync();
        await page.GetByLabel("Reason").FillAsync("upkeep");
        await page.GetByLabel("Notice in seconds").FillAsync("90000000");
        // What the form does not take, the service need not refuse.
        await page.GetByRole(AriaRole.Button, new() { Name = "Break the lease" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await page.GetByLabel("Notice in seconds").FillAsync("120");
        await page.GetByRole(AriaRole.Button, new() { Name = "Break the lease" }).ClickAsync();

        await Expect(page.Locator("#toast")).ToHaveTextAsync("The lease ends in 2 m 00 s at the latest.");
        await Expect(page.Locator(".title .state")).ToHaveTextAsync("breaking");
        await Expect(page.Locator(".order")).ToContainTextAsync("upkeep");
        _time.Advance(TimeSpan.FromSeconds(31));
        await Expect(page.Locator(".title .state")).ToHaveTextAsync("free");
    }

    [ChromiumFact]
    public async Task History_OfEveryKindOfEnd_SaysWhyInWords()
    {
        await ReleaseAsync(await AcquireAsync("r", "ann"));
        await AcquireAsync("r", "bob", 10);
        _time.Advance(TimeSpan.FromSeconds(20));
        var third = await AcquireAsync("r", "cid");
        var given = await Leases.TransferAsync(new() { Resource = "r", Owner = "cid", Token = third.Token, NewOwner = "dan" });
        await Leases.BreakAsync(
            new() { Resource = "r", Token = given.Value.Token, Grace = TimeSpan.Zero, Force = true, Reason = "upkeep" });
        await AcquireAsync("r", "eve");
        var page = await OpenAsync("#/lease/r");

        var ends = page.Locator(".events tbody tr:not(.granted, .breaking) .ended");
        await Expect(ends).ToHaveTextAsync(
        [
            "Broken: upkeep after 0.0 s", "Handed to dan after 0.0 s", "Not renewed before its deadline after 10 s",
            "Released by its holder after 0.0 s",
        ]);
        foreach (var (owner, reason) in new[]
        {
            ("ann", "and released it"), ("bob", "let it run out: it did not renew before its deadline"), ("cid", "handed it to dan"),
            ("dan", "lost it: it was broken (upkeep)"), ("eve", "has it, with token"), ("nobody", "never had it"),
        })
        {
            await page.GetByLabel("As which owner").FillAsync(owner);
            await Expect(page.Locator(".answer")).ToContainTextAsync(reason);
            if (owner != "eve") await Expect(page.Locator(".answer")).ToContainTextAsync("It is held by eve.");
        }
    }

    [ChromiumFact]
    public async Task Resource_WithAllThereIs_ShowsIt()
    {
        var metadata = new Dictionary<string, string> { ["pod"] = "p-7" };
        var grant = await AcquireAsync("leader", "a", 60, request => request with { Metadata = metadata });
        await Leases.PutKeyAsync("leader/address", new()
        {
            Value = "10.0.0.7:8080", Lease = new() { Resource = "leader", Owner = "a", Token = grant.Token },
        });
        var waits = AcquireAsync("leader", "b", 60, request => request with { Wait = TimeSpan.FromSeconds(20) });
        var page = await OpenAsync("#/lease/leader");

        await Expect(page.Locator(".card")).ToContainTextAsync("pod");
        await Expect(page.Locator(".card")).ToContainTextAsync("p-7");
        await Expect(page.Locator(".keys")).ToHaveTextAsync("leader/address 10.0.0.7:8080");
        await Expect(page.Locator(".queue")).ToContainTextAsync("1 request waits for it");
        await Expect(page.Locator(".queue li")).ToContainTextAsync("b for ");
        await page.GetByLabel("As which owner").FillAsync("b");
        await Expect(page.Locator(".answer")).ToContainTextAsync("b waits for it: number 1 of the queue.");

        await ReleaseAsync(grant);
        await waits;
        await Expect(page.Locator(".holder .owner")).ToHaveTextAsync("b");
        await Expect(page.Locator(".queue")).ToHaveTextAsync("No request waits for it.");
        await Expect(page.Locator(".keys")).ToHaveCountAsync(0);
    }

    [ChromiumFact]
    public async Task Resource_ThatIsDelayedFreeOrNoName_SaysSo()
    {
        await AcquireAsync("r", "ann", 1, request => request with { LockDelay = TimeSpan.FromSeconds(50) });
        _time.Advance(TimeSpan.FromSeconds(10));
        var page = await OpenAsync("#/lease/r");
        await Expect(page.Locator(".title .state")).ToHaveTextAsync("delayed");
        await Expect(page.Locator(".card .seconds")).ToHaveTextAsync(new Regex(@"^[34]\d s$"));

        _time.Advance(TimeSpan.FromMinutes(2));
        await page.GotoAsync($"{Server.Address}/#/lease/never/used");
        await Expect(page.Locator(".headline")).ToContainTextAsync("Free. It was never used");
        await page.GotoAsync($"{Server.Address}/#/lease/a//b");
        await Expect(page.Locator(".headline")).ToContainTextAsync("segment");
        await page.GotoAsync($"{Server.Address}/#/lease/%");
        await Expect(page.GetByText("This address leads nowhere.")).ToBeVisibleAsync();
    }
}
