using OrleansLeases.Testing;

namespace OrleansLeases.Embedded.Tests;

/// <summary>What is recorded of the calls of outsiders: every change, every refusal for lack of rights, and no value of a key.</summary>
public sealed class AuditTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly EmbeddedLeases _leases;
    private readonly List<AuditRecord> _records = [];
    private readonly ILeaseService _caller;

    public AuditTests()
    {
        _leases = EmbeddedLeases.InMemory(time: _time);
        var rights = new AccessRights("ci", [new() { Prefix = "jobs", Rights = (LeaseRights)15 }]);
        _caller = _leases.For(new("ci", () => rights) { Address = "192.0.2.7", Audit = _records.Add });
    }

    public ValueTask DisposeAsync() => _leases.DisposeAsync();

    [Fact]
    public async Task Audit_OfChanges_HasOneRecordEach()
    {
        var grant = (await _caller.AcquireAsync(Acquire("jobs/1") with { RequestId = "one" })).Value;
        KeyLease lease = new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token };
        await _caller.PutKeyAsync("jobs/k", new() { Value = "a secret", Lease = lease, RequestId = "two" });
        await _caller.AddToCounterAsync("jobs/n", new() { Delta = 1, RequestId = "three" });
        await _caller.RenewAsync(new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token });
        await _caller.AcquireAsync(Acquire("jobs/1") with { Owner = "ci/2", RequestId = "four" });
        await _caller.BreakAsync(new() { Resource = "jobs/1", Grace = TimeSpan.Zero, Reason = "r", RequestId = "five" });
        await _caller.ReleaseAsync(new() { Resource = "jobs/1", Owner = "ci", Token = grant.Token });
        await _caller.DeleteKeyAsync("jobs/k");
        await _caller.GetAsync(new() { Resource = "jobs/1" });

        Assert.Equal(
            [
                $"acquire jobs/1 ci {grant.Token} ok one", $"put-key jobs/k ci {grant.Token} ok two", "add jobs/n   ok three",
                "acquire jobs/1 ci/2  held four", $"break jobs/1  {grant.Token} ok five", $"release jobs/1 ci {grant.Token} ok ",
                "delete-key jobs/k   ok ",
            ],
            _records.Select(Text));
        Assert.All(_records, record => Assert.Equal(("ci", "192.0.2.7"), (record.Principal, record.Address)));
        Assert.DoesNotContain(_records, record => record.ToString().Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Audit_OfWhatIsRefusedForLackOfRights_HasReadsToo()
    {
        await _caller.GetAsync(new() { Resource = "other" });
        await _caller.HistoryAsync("other");
        await _caller.WatchAsync(new() { Key = "other" });
        await _caller.RenewAsync(new() { Resource = "other", Owner = "ci", Token = 1 });
        await _caller.BatchAsync(new() { Operations = [new BatchOperation.GetKey("other"), new BatchOperation.GetKey("jobs/none")] });

        Assert.Equal(
            [
                "get other   forbidden ", "history other   forbidden ", "watch other   forbidden ", "renew other ci 1 forbidden ",
                "get-key other   forbidden ",
            ],
            _records.Select(Text));
    }

    [Fact]
    public async Task Audit_OfAChangeWhoseCallerLeft_SaysSo()
    {
        await _caller.AcquireAsync(Acquire("jobs/1"));
        using var leaves = new CancellationTokenSource();
        var waiting = _caller.AcquireAsync(
            Acquire("jobs/1") with { Owner = "ci/2", Wait = TimeSpan.FromSeconds(20), RequestId = "two" }, leaves.Token).AsTask();
        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        Assert.Equal("acquire jobs/1 ci/2  cancelled two", Text(_records[^1]));
    }

    private static AcquireRequest Acquire(string resource) =>
        new() { Resource = resource, Owner = "ci", Ttl = TimeSpan.FromSeconds(30) };

    private static string Text(AuditRecord record) =>
        $"{record.Verb} {record.Name} {record.Owner} {record.Token} {record.Outcome} {record.RequestId}";
}
