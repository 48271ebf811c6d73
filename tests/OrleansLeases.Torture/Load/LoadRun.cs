using OrleansLeases.Testing.Load;
using OrleansLeases.Torture.Processes;

namespace OrleansLeases.Torture.Load;

/// <summary>Contenders under whose hands a server is replaced, and the checks at the end.</summary>
internal sealed class LoadRun : IAsyncDisposable
{
    public static readonly string[] Resources = ["jobs/hot", "jobs/warm", "jobs/cool", "jobs/cold"];
    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _contenders;
    private readonly string _folder;
    private Server _server;

    private LoadRun(string folder, Server server)
    {
        _folder = folder;
        _server = server;
        _contenders = Task.WhenAll(Enumerable.Range(0, 10).Select(number =>
            Task.Run(() => new Contender(number, Ledger, _ => _server.Leases).RunAsync(Resources, Ttl, _stop.Token))));
    }

    public Ledger Ledger { get; } = new();

    public Server Server => _server;

    public static async Task<LoadRun> StartAsync(string folder) => new(folder, await Server.StartAsync(folder));

    public static Task ForAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);

    /// <summary>Kills the server in the middle of whatever it does, and starts another on its folder.</summary>
    public async Task KillAndRestartAsync()
    {
        await _server.KillAsync();
        var dead = _server;
        _server = await Server.StartAsync(_folder);
        await dead.DisposeAsync();
    }

    /// <summary>Ends the load, and checks what was told; then that everything left behind is grantable within the grace.</summary>
    public async Task AssertSoundAsync()
    {
        // However slow the machine is, there must be enough to look at.
        for (var i = 0; i < 600 && !Resources.All(resource => Ledger.Tenures.Count(tenure => tenure.Resource == resource) > 5); i++)
            await ForAsync(TimeSpan.FromMilliseconds(100));
        await _stop.CancelAsync();
        await _contenders.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Empty(Ledger.FindFaults());
        var tenures = Ledger.Tenures;
        var grace = (await _server.Leases.InfoAsync()).Value.Grace;
        foreach (var resource in Resources)
        {
            var told = tenures.Where(tenure => tenure.Resource == resource).ToList();
            var highest = told.Max(tenure => tenure.Token);
            Assert.True(
                (await _server.Leases.GetAsync(new GetLeaseRequest { Resource = resource, Consistent = true })).Value.LastToken >= highest,
                "A token that was told is gone.");
            var grant = await AcquireInTheEndAsync(resource, "heir");
            var late = Ledger.Now - told.Max(tenure => tenure.Until) - grace;
            Assert.True(late < TimeSpan.Zero, $"'{resource}' was grantable {late} later than its deadline and the grace.");
            Assert.True(grant.Token > highest, $"Token {grant.Token} of '{resource}' is no greater than {highest}.");
        }
    }

    public async Task<LeaseGrant> AcquireInTheEndAsync(string resource, string owner)
    {
        var request = new AcquireRequest
        {
            Resource = resource, Owner = owner, Ttl = Ttl, Wait = TimeSpan.FromSeconds(20), RequestId = owner,
        };
        var answer = await _server.Leases.AcquireAsync(request);
        return answer.Refusal is Refusal.Held ? (await _server.Leases.AcquireAsync(request)).Value : answer.Value;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _server.DisposeAsync();
        await Task.WhenAny(_contenders);
        _stop.Dispose();
    }
}
