using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OrleansLeases.Torture.Load;
using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture;

/// <summary>A second server on the folder, and an end asked for politely.</summary>
public sealed class EndTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task SecondServer_OnTheFolder_EndsWithOneClearSentence()
    {
        await using var first = await Server.StartAsync(_folder.Path);
        await using var second = Server.Begin(_folder.Path);

        Assert.Equal(1, await second.ExitCodeAsync());

        Assert.Contains(
            $"The data folder '{_folder.Path}' is in use by another process. Stop that process, or name another folder.", second.Error,
            StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", second.Error, StringComparison.Ordinal);
        Assert.Null((await first.Leases.AcquireAsync(Ask("ann"))).Refusal);
    }

    [Fact]
    public async Task SecondServer_OnceTheFirstWasKilled_StartsAtOnce()
    {
        await using var first = await Server.StartAsync(_folder.Path);
        await first.KillAsync();

        await using var second = await Server.StartAsync(_folder.Path);

        Assert.Equal("embedded-sqlite", (await second.Leases.InfoAsync()).Value.Engine);
    }

    [Fact]
    public async Task Terminate_WhileSomeWait_TellsThemAndEndsWell()
    {
        LeaseGrant grant;
        await using (var server = await Server.StartAsync(_folder.Path))
        {
            grant = (await server.Leases.AcquireAsync(Ask("ann"))).Value;
            var waiting = server.Leases.AcquireAsync(Ask("bob") with { Wait = TimeSpan.FromSeconds(25) }).AsTask();
            var raw =
                server.Http.PostAsJsonAsync("v1/leases/acquire", new { resource = "r", owner = "cid", ttlMs = 30_000, waitMs = 25_000 });
            while ((await server.Leases.GetAsync(new GetLeaseRequest { Resource = "r" })).Value.Waiters < 2)
            {
                await LoadRun.ForAsync(TimeSpan.FromMilliseconds(10));
            }

            server.AskToEnd();

            Assert.IsType<Refusal.Unavailable>((await waiting).Refusal);
            using var answer = await raw;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            using var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            Assert.EndsWith("unavailable", problem.RootElement.GetProperty("type").GetString(), StringComparison.Ordinal);
            Assert.NotNull(answer.Headers.RetryAfter);
            Assert.Equal(0, await server.ExitCodeAsync());
        }

        await using var after = await Server.StartAsync(_folder.Path);
        Assert.Equal(
            grant.Token,
            (await after.Leases.RenewAsync(new RenewRequest { Resource = "r", Owner = "ann", Token = grant.Token })).Value.Token);
    }

    private static AcquireRequest Ask(string owner) => new() { Resource = "r", Owner = owner, Ttl = TimeSpan.FromSeconds(30) };
}
