using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;

namespace Takeover;

/// <summary>Does the jobs that nobody else is at, and then waits for the others': one of them may not come to its end.</summary>
internal static class Worker
{
    public const string Verb = "worker";

    // The shorter, the sooner others take over; the longer, the more trouble with the service a worker lives through.
    private static readonly LeaseOptions Options = new() { Ttl = TimeSpan.FromSeconds(2) };

    public static string[] Jobs { get; } = [.. Enumerable.Range(1, 6).Select(job => $"jobs/{job}")];

    public static async Task RunAsync(Uri server, string name)
    {
        using var http = new HttpClient { BaseAddress = server };
        await using var leases = new LeaseClient(new HttpLeaseService(http), new() { Owner = name });
        foreach (var wait in (TimeSpan[])[TimeSpan.Zero, Timeout.InfiniteTimeSpan])
        {
            foreach (var job in Jobs)
                await new TaskClaim(leases, job, Options).RunAsync((lease, stop) => WorkAsync(job, lease, stop), wait);
        }
    }

    // Steps at something that checks tokens would take lease.Token with them.
    private static async Task WorkAsync(string job, LeaseHandle lease, CancellationToken stop)
    {
        Console.WriteLine($"begins {job} with token {lease.Token}");
        await Task.Delay(TimeSpan.FromSeconds(0.5), TimeProvider.System, stop);
        Console.WriteLine($"has done {job}");
    }
}
