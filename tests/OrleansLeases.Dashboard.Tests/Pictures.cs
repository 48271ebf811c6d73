using Microsoft.Playwright;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using OrleansLeases.Testing;
using OrleansLeases.Testing.Packages;
using static Microsoft.Playwright.Assertions;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>
/// The pictures of docs/dashboard.md, of a server with made-up leases. They are taken at every run, and kept where LEASES_PICTURES is set.
/// </summary>
[Collection(nameof(Browser))]
public sealed class Pictures : DashboardTest
{
    private const int MostBytes = 150 * 1024;

    private static readonly string[] Waiters = ["worker-5", "worker-6"];

    private readonly ManualTimeProvider _time;

    public Pictures(Browser browser)
        : this(browser, new ManualTimeProvider(new DateTimeOffset(2026, 11, 28, 9, 12, 0, TimeSpan.Zero)))
    {
    }

    private Pictures(Browser browser, ManualTimeProvider time)
        : base(browser, time) => _time = time;

    [ChromiumFact]
    public async Task Picture_OfEachView_IsSmall()
    {
        await FillAsync();
        using var leaves = new CancellationTokenSource();
        AcquireRequest Waiting(string owner) =>
            new() { Resource = "orders/42", Owner = owner, Ttl = TimeSpan.FromSeconds(30), Wait = TimeSpan.FromSeconds(25) };
        var waits = Waiters.Select(owner => Leases.AcquireAsync(Waiting(owner), leaves.Token).AsTask()).ToArray();

        await TakeAsync("dashboard", "#/", 1120, 560, ColorScheme.Light);
        await TakeAsync("dashboard-lease", "#/lease/orders/42", 1120, 760, ColorScheme.Dark);
        await TakeAsync("dashboard-phone", "#/", 390, 640, ColorScheme.Dark);

        await leaves.CancelAsync();
        foreach (var wait in waits) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    private async Task TakeAsync(string name, string hash, int width, int height, ColorScheme scheme)
    {
        var page = await OpenAsync(hash, width, height, scheme);
        await Expect(page.Locator("#link")).ToHaveTextAsync("Live");
        await Expect(page.GetByText("≤").Or(page.GetByText("Reading…")).And(page.Locator(":visible"))).ToHaveCountAsync(0);
        await Expect(page.Locator(".waits-cell").GetByText("2").Or(page.Locator(".queue")).First).ToBeAttachedAsync();
        var picture = await page.ScreenshotAsync();
        Assert.InRange(picture.Length, 5_000, MostBytes);
        if (Environment.GetEnvironmentVariable("LEASES_PICTURES") is null) return;
        await File.WriteAllBytesAsync(Repository.PathOf("docs", "images", $"{name}.png"), picture);
    }

    private async Task FillAsync()
    {
        foreach (var (resource, owner, seconds) in new[]
        {
            ("billing/invoices/2026-11", "billing-worker-3", 30), ("billing/invoices/2026-12", "billing-worker-1", 60),
            ("cache/prices", "web-2", 15), ("etl/nightly-import", "etl-1", 600), ("jobs/report", "vm/23456-f6d9f395", 20),
            ("migrations/orders", "deploy-412", 120), ("names/\u202egnp.exe", "eve\u200b", 300), ("orders/43", "worker-7", 30),
            ("search/reindex", "indexer-0", 45), ("shards/07", "node-a/7", 30),
        })
            await AcquireAsync(resource, owner, seconds);
        var leader = await AcquireAsync("leader/scheduler", "scheduler-b", 10);
        foreach (var (key, value) in new[] { ("services/scheduler", "10.0.4.17:8080"), ("services/scheduler/jobs", "17") })
        {
            await Leases.PutKeyAsync(key, new()
            {
                Value = value, Lease = new() { Resource = leader.Resource, Owner = leader.Owner, Token = leader.Token },
            });
        }

        for (var i = 0; i < 3; i++)
            await AcquireAsync("pool/gpu", $"trainer-{i}", 30, request => request with { Mode = LeaseMode.Shared, Capacity = 4 });

        var first = await AcquireAsync("orders/42", "worker-1");
        _time.Advance(TimeSpan.FromSeconds(3.2));
        await ReleaseAsync(first);
        await AcquireAsync("orders/42", "worker-2", 5);
        _time.Advance(TimeSpan.FromSeconds(5.1));
        var third = await AcquireAsync("orders/42", "worker-3");
        _time.Advance(TimeSpan.FromSeconds(0.8));
        var given = await Leases.TransferAsync(
            new() { Resource = "orders/42", Owner = "worker-3", Token = third.Token, NewOwner = "worker-4" });
        await Leases.BreakAsync(new()
        {
            Resource = "orders/42", Token = given.Value.Token, Grace = TimeSpan.Zero, Force = true, Reason = "deployment of 4.2",
        });
        await AcquireAsync("orders/42", "worker-1", 30, request => request with
        {
            Metadata = new Dictionary<string, string> { ["pod"] = "orders-7c9f", ["region"] = "eu-west-1" },
        });
    }
}
