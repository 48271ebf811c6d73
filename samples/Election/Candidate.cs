using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;

namespace Election;

/// <summary>Stands for election, leads until it is asked to hand over, and ends.</summary>
internal static class Candidate
{
    public const string Verb = "candidate";
    public const string Office = "leaders/billing";

    public static async Task RunAsync(Uri server, string name)
    {
        using var http = new HttpClient { BaseAddress = server };
        await using var leases = new LeaseClient(new HttpLeaseService(http), new() { Owner = name });
        Console.WriteLine("stands for election");
        await new LeaderElection(leases, Office, new() { Ttl = TimeSpan.FromSeconds(2) }).RunAsync(LeadAsync);
    }

    private static async Task LeadAsync(Leadership term, CancellationToken stop)
    {
        // Before anyone else can lead, and also where the service cannot be heard.
        using var lost = term.OnLost(loss => Console.WriteLine($"has lost it: {loss.Detail}"));
        Console.WriteLine("leads");
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, term.HandOverToken);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Console.WriteLine("brings its work to an end, and hands over");
    }
}
