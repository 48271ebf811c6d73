using System.Globalization;
using Npgsql;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Load;

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

    /// <summary>The first word of a line that tells of a write which the fence refused.</summary>
    public const string Refused = "refused";

    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(2);

    /// <param name="arguments">The servers' addresses, the recipe, what it is about, and for a recipe that writes the database.</param>
    public static async Task RunAsync(IReadOnlyList<string> arguments)
    {
        _ = Task.Run(() =>
        {
            Console.In.ReadToEnd();
            Environment.Exit(0);
        });
        using var http = new HttpClient();
        await using var client = new LeaseClient(
            new HttpLeaseService(http, [.. arguments[0].Split(' ').Select(address => new Uri(address))]));
        await using var database = arguments.Count > 3 ? NpgsqlDataSource.Create(arguments[3]) : null;
        var table = database is null ? null : new FencedTable(database);
        while (true)
        {
            try
            {
                if (await WorkAsync(arguments[1], arguments[2], client, table)) return;
            }
            catch (LeaseLostException)
            {
                // It was stopped for too long, and goes on as if it had just started.
            }
            catch (LeaseRefusedException refused) when (refused.Refusal is Refusal.Unavailable or Refusal.OutcomeUnknown)
            {
                await Task.Delay(Beat, TimeProvider.System);
            }
        }
    }

    /// <summary>Works once; the answer is whether all is done.</summary>
    private static async Task<bool> WorkAsync(string recipe, string name, LeaseClient client, FencedTable? table)
    {
        var options = new LeaseOptions { Ttl = Ttl };
        var length = TimeSpan.FromMilliseconds(Random.Shared.Next(20, 200));
        switch (recipe)
        {
            case "lock":
                await new DistributedLock(client, name, options).RunAsync((lease, stop) => BeatAsync(Tenure.Alone, lease, length, stop));
                return false;
            case "fenced":
                await new DistributedLock(client, name, options).RunAsync((lease, stop) => WriteAsync(table, lease, length, stop));
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
            Tell(how, lease);
            await Task.Delay(Beat, TimeProvider.System, stop);
        }
    }
    // Stopped between its look at the lease and its write, it writes when it wakes up, as if no time had passed.
    private static async Task WriteAsync(FencedTable? table, LeaseHandle lease, TimeSpan length, CancellationToken stop)
    {
        var before = table?.Refused ?? 0;
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < length)
        {
            stop.ThrowIfCancellationRequested();
            if (!Tell(Tenure.Alone, lease)) break;
            if (table is not null) await table.WriteAsync(new Ledger.Tenure(lease.Resource, lease.Owner, lease.Token, TimeSpan.Zero));
            else await Task.Delay(Beat, TimeProvider.System, stop);
        }

        if (table is not null && table.Refused > before) Console.WriteLine(Refused);
    }

    /// <summary>Says that the lease is valid, and when, if it is.</summary>
    private static bool Tell(string how, LeaseHandle lease)
    {
        // Read before it is looked at: what is valid afterwards was valid then.
        var now = TimeProvider.System.GetTimestamp();
        var isValid = lease.IsValid();
        if (isValid) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{how} {lease.Token} {now}"));
        return isValid;
    }
}
