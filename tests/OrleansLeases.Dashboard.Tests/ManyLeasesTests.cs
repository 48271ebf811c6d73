using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using Xunit.Abstractions;
using static Microsoft.Playwright.Assertions;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>Ten thousand leases: what is in sight is on the page, and all of it is there to be scrolled to.</summary>
[Collection(nameof(Browser))]
public sealed class ManyLeasesTests(Browser browser, ITestOutputHelper output) : DashboardTest(browser)
{
    private const int Many = 10_000;
    private const double MostHeapMiB = 60;

    // While it scrolls from one end to the other and back: how long the browser had between two frames, in ms.
    private const string Scroll = """
        async () => {
          const rows = document.querySelector('.rows'), gaps = [], end = performance.now() + 1500;
          for (let last = performance.now(), step = 400; last < end;) {
            const now = await new Promise(requestAnimationFrame);
            gaps.push(now - last);
            last = now;
            rows.scrollTop += step;
            if (rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 1 || rows.scrollTop === 0) step = -step;
          }

          gaps.sort((a, b) => a - b);
          return [gaps.length, gaps[gaps.length >> 1], gaps[Math.floor(gaps.length * 0.99)], gaps.at(-1)];
        }
        """;

    [ChromiumFact]
    public async Task TenThousandLeases_AreAllThereAndFewAreElements()
    {
        for (var i = 0; i < Many; i++) await AcquireAsync($"shards/{i:00000}", $"node-{i % 7}", 300);
        var page = await OpenAsync();
        await Expect(page.GetByText("10,000 names held")).ToBeVisibleAsync();
        var table = page.GetByRole(AriaRole.Table);
        await Expect(table).ToHaveAttributeAsync("aria-rowcount", $"{Many + 1}");

        await table.FocusAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("End");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "shards/09999" })).ToBeInViewportAsync();
        Assert.InRange(await page.Locator(".body .row").CountAsync(), 10, 60);

        var frames = await page.EvaluateAsync<double[]>(Scroll);
        var heap = await HeapOfAsync(page);
        output.WriteLine(
            $"Frames while scrolling for 1.5 s: {frames[0]}, apart by {frames[1]:0} ms, 99 of 100 by {frames[2]:0} ms or less.");
        output.WriteLine($"The page has {heap:0.0} MiB of objects; its process {await ProcessOfAsync(page)}.");
        Assert.InRange(heap, 1, MostHeapMiB);
    }

    private static async Task<double> HeapOfAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("HeapProfiler.collectGarbage");
        var usage = (await session.SendAsync("Runtime.getHeapUsage"))!.Value;
        return usage.GetProperty("usedSize").GetDouble() / (1 << 20);
    }

    // Its share of the memory, with the part of what it has in common with the other processes of the browser.
    private static async Task<string> ProcessOfAsync(IPage page)
    {
        var session = await page.Context.Browser!.NewBrowserCDPSessionAsync();
        var info = (await session.SendAsync("SystemInfo.getProcessInfo"))!.Value;
        var sizes =
            from process in info.GetProperty("processInfo").EnumerateArray()
            where process.GetProperty("type").GetString() == "renderer"
            let file = $"/proc/{process.GetProperty("id").GetInt32()}/smaps_rollup"
            from line in File.ReadLines(file)
            where line.StartsWith("Pss:", StringComparison.Ordinal)
            select double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
        return $"{sizes.Max():0} MiB";
    }
}
