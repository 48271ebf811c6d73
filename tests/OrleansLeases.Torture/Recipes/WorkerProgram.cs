using System.Globalization;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;

namespace OrleansLeases.Torture.Recipes;

/// <summary>
/// A worker in a process of its own. While it works it says, again and again, which lease it sees to be valid and when: all
/// processes of a machine read the same monotonic clock. It ends with its standard input.
/// </summary>
internal static class WorkerProgram
{
    /// <summary>The first argument of the program, which makes it a worker.</summary>
    public const string Word = "worker";

    public const int Capacity = 2;
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(2);

    /// <param name="arguments">The server's address, the recipe, and what it is about.</param>
    public static async Task RunAsync(IReadOnlyList<string> arguments)
    {
        _ = Task.Run(() =>
        {
            Console.In.ReadToEnd();
            Environment.Exit(0);
        });
        using var http = new HttpClient { BaseAddress = new Uri(arguments[0]) };
        await using var client = new LeaseClient(new HttpLeaseService(http));
        while (true)
        {
            try
            {
                if (await WorkAsync(arguments[1], arguments[2], client)) return;
            }
            catch (LeaseLostException)
            {
                // It was stopped for too long, and goes on as if it had just started.
            }
        }
    }

    /// <summary>Works once; the answer is whether all is done.</summary>
    private static async Task<bool> WorkAsync(string recipe, string name, LeaseClient client)
    {
        var options = new LeaseOptions { Ttl = Ttl };
        var length = TimeSpan.FromMilliseconds(Random.Shared.Next(20, 200));
        switch (recipe)
        {
            case "lock":
                await new DistributedLock(client, name, options).RunAsync((lease, stop) => BeatAsync(Tenure.Alone, lease, length, stop));
                return false;
            case "readers-writer":
                var guarded = new DistributedReaderWriterLock(client, name, options);
                if (Random.Shared.Next(3) == 0) await guarded.WriteAsync((lease, stop) => BeatAsync(Tenure.Alone, lease, length, stop));
                else await guarded.ReadAsync((lease, stop) => BeatAsync(Tenure.WithOthers, lease, length, stop));
                return false;
            case "semaphore":
                await new DistributedSemaphore(client, name, Capacity, options).RunAsync(
                    (lease, stop) => BeatAsync(Tenure.WithOthers, lease, length, stop));
                return false;
            case "election":
                await new LeaderElection(client, name, options).RunAsync(
                    (term, stop) => BeatAsync(Tenure.Alone, term.Lease, TimeSpan.MaxValue, stop));
                return false;
            case "task":
                var outcome = await new TaskClaim(client, name, options).RunAsync(
                    (lease, stop) => BeatAsync(Tenure.Alone, lease, TimeSpan.FromSeconds(1), stop), Timeout.InfiniteTimeSpan);
                Console.WriteLine(outcome);
                return true;
            default:
                throw new ArgumentOutOfRangeException(nameof(recipe), recipe, "There is no such recipe.");
        }
    }

    private static async Task BeatAsync(string how, LeaseHandle lease, TimeSpan length, CancellationToken stop)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < length)
        {
            stop.ThrowIfCancellationRequested();
            // Read before it is looked at: what is valid afterwards was valid then.
            var now = TimeProvider.System.GetTimestamp();
            if (lease.IsValid()) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{how} {lease.Token} {now}"));
            await Task.Delay(Beat, TimeProvider.System, stop);
        }
    }
}
