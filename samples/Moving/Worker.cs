using OrleansLeases.Client;

namespace Moving;

/// <summary>Works, again and again, under what its version takes for the lock of the work.</summary>
internal static class Worker
{
    public const string Verb = "worker";
    public const string Worked = "worked from";

    private static readonly LeaseOptions Options = new() { Ttl = TimeSpan.FromSeconds(1) };

    public static async Task RunAsync(Version version, Uri server, string file)
    {
        using var http = new HttpClient { BaseAddress = server };
        await using var leases = new LeaseClient(new HttpLeaseService(http));
        while (true)
        {
            await WorkAsync(version, leases, file);
            // The lock of before is not fair: whoever asks again at once is the first.
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(200)), TimeProvider.System);
        }
    }

    private static async Task WorkAsync(Version version, LeaseClient leases, string file)
    {
        // By all versions in this order: those that take both never wait for each other in a ring.
        await using var former = version == Version.Leases ? null : await FormerLock.AcquireAsync(file);
        await using var lease = version == Version.Former ? null : await leases.AcquireAsync("jobs/report", Options);
        // All processes of a machine read the same clock.
        var from = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System);
        Console.WriteLine($"{Worked} {from} to {TimeProvider.System.GetTimestamp()}");
    }
}

/// <summary>What is rolled out, one version after the other.</summary>
internal enum Version
{
    /// <summary>The lock of before alone.</summary>
    Former = 1,

    /// <summary>Both: of every two workers that run side by side, both take one lock that is the same.</summary>
    Both = 2,

    /// <summary>The lease alone.</summary>
    Leases = 3,
}
