using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>Several processes, as it were, on one service and one clock that only the test moves.</summary>
internal sealed class RecipeWorld : IAsyncDisposable
{
    public static readonly LeaseOptions Short = new() { Ttl = TimeSpan.FromSeconds(10) };

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private readonly List<Member> _members = [];

    public RecipeWorld() => Service = EmbeddedLeases.InMemory(time: Time);

    public ManualTimeProvider Time { get; } = new();

    public EmbeddedLeases Service { get; }

    /// <summary>A client with its own way to the service.</summary>
    /// <param name="name">Its owner.</param>
    /// <param name="service">What it takes for the service, where not the service itself.</param>
    public LeaseClient Join(string name, ILeaseService? service = null)
    {
        var network = new Network(service ?? Service);
        var client = new LeaseClient(network, new() { Owner = name }, Time);
        _members.Add(new(client, network));
        return client;
    }

    /// <summary>
    /// From when it holds a resource on, nobody hears of a client's leases: it is as good as dead, though its code goes on.
    /// </summary>
    public async Task CutOffAsync(LeaseClient client, string resource)
    {
        await Eventually.TrueAsync(() => HoldersOf(resource).Any(owner => owner.StartsWith(client.Owner, StringComparison.Ordinal)));
        _members.Find(member => member.Client == client)!.Network.FateOf = _ => Fate.Hangs;
    }

    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= Step)
        {
            Time.Advance(left < Step ? left : Step);
            await SettleAsync();
        }
    }

    /// <summary>Moves the clock until something is done that needs it moved.</summary>
    public async Task AdvanceUntilAsync(Task done)
    {
        for (var i = 0; i < 10_000 && !done.IsCompleted; i++)
        {
            await AdvanceAsync(Step);
            await Task.WhenAny(done, Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System));
        }

        Assert.True(done.IsCompleted, "It did not come to an end.");
    }

    /// <summary>Waits until so many wait in the queue, which takes no time of the clock.</summary>
    public Task LineOfAsync(string resource, int waiters) => Eventually.TrueAsync(() => Look(resource).Waiters == waiters);

    public LeaseInfo Look(string resource) => Service.GetAsync(new() { Resource = resource }).AsTask().Result.Value;

    public IReadOnlyList<string> HoldersOf(string resource) => [.. Look(resource).Holders.Select(holder => holder.Owner)];

    /// <summary>Ends a lease behind its holder's back.</summary>
    public async Task BreakByForceAsync(string resource) =>
        Assert.Null(
            (await Service.BreakAsync(new() { Resource = resource, Grace = TimeSpan.Zero, Force = true, Reason = "test" })).Refusal);

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members) member.Network.FateOf = _ => Fate.Passes;
        await Service.DisposeAsync();
    }

    private Task SettleAsync() =>
        Eventually.TrueAsync(() => _members.TrueForAll(member => member.Client.RenewalsUnderWay == member.Network.OpenCalls("renew")));

    private sealed record Member(LeaseClient Client, Network Network);
}
