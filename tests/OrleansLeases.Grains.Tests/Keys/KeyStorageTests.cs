using Npgsql;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Calls;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests.Keys;

/// <summary>What a storage may do to keys, and what is in it. On PostgreSQL, called by a client.</summary>
public sealed class KeyStorageTests() : KeyStorageSuite(PostgresStorage.GroupCommit);

/// <summary>The same through Orleans' provider.</summary>
public sealed class AdoNetKeyStorageTests() : KeyStorageSuite(PostgresStorage.AdoNet);

/// <summary>What must hold of keys, however they are written.</summary>
public abstract class KeyStorageSuite(PostgresStorage storage) : IAsyncLifetime
{
    private const string K = "workers/7";

    private readonly string _serviceId = Cluster.NewServiceId();
    private Cluster _cluster = null!;

    private FaultyStorage Storage => FaultyStorage.Of(_cluster.Silo);

    private ILeaseService Leases => _cluster.ClientLeases;

    public async Task InitializeAsync() => _cluster = await Cluster.OnPostgresAsync(_serviceId, storage: storage);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_ThatThrows_IsUnknown_AndItsRepeatIsAppliedOnce(bool written)
    {
        var add = new AddToCounterRequest { Delta = 5, RequestId = "once" };
        Storage.KeyWrites.Enqueue(Throw(written));
        Assert.Equal("once", Assert.IsType<Refusal.OutcomeUnknown>((await Leases.AddToCounterAsync(K, add)).Refusal).RequestId);

        var sum = (await Leases.AddToCounterAsync(K, add)).Value;
        Assert.Equal((5, 1, written), (sum.Value, sum.Version, sum.Replayed));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Attach_ThatThrows_IsUnknown_AndTheRepeatIsAppliedOnce(bool written)
    {
        var grant = await GrantAsync();
        Storage.Writes.Enqueue(Throw(written));
        Assert.Equal(
            "once", Assert.IsType<Refusal.OutcomeUnknown>((await Leases.PutKeyAsync(K, Put("up", grant, "once"))).Refusal).RequestId);
        Assert.IsType<Refusal.NotFound>((await Leases.GetKeyAsync(K)).Refusal);

        Assert.Equal(1, (await Leases.PutKeyAsync(K, Put("up", grant, "once"))).Value.Version);
        Assert.Equal([K], Assert.Single((await Leases.GetAsync(new GetLeaseRequest { Resource = grant.Resource })).Value.Holders).Keys);
    }

    [Fact]
    public async Task Write_ThatTheDatabaseRefuses_IsUnavailable_AndNothingChanged()
    {
        Assert.Null((await Leases.PutKeyAsync(K, Put("up"))).Refusal);
        Storage.KeyWrites.Enqueue(_ => throw new PostgresException("disk full", "ERROR", "ERROR", "53100"));
        Assert.IsType<Refusal.Unavailable>((await Leases.DeleteKeyAsync(K)).Refusal);
        Assert.Equal(1, (await Leases.GetKeyAsync(K)).Value.Version);
        Assert.True((await Leases.DeleteKeyAsync(K)).Value.Existed);
    }

    [Fact]
    public async Task CleanUp_WhoseWritesFail_GoesOnUntilItIsDone()
    {
        var grant = await GrantAsync();
        for (var i = 0; i < 10; i++) Assert.Null((await Leases.PutKeyAsync($"k/{i}", Put("up", grant))).Refusal);
        for (var i = 0; i < 6; i++) Storage.KeyWrites.Enqueue(Throw(written: i % 2 == 0));
        Storage.Writes.Enqueue(write => write());
        Storage.Writes.Enqueue(Throw(written: true));

        Assert.Null((await Leases.ReleaseAsync(Release(grant))).Refusal);

        Assert.Empty((await Leases.ListKeysAsync(new ListKeysRequest())).Value.Keys);
        await UntilCleanAsync();
    }

    [Fact]
    public async Task CleanUp_ThatItsSiloDidNotDeliver_IsMadeByAnother_ThoughNobodyAsks()
    {
        var grant = await GrantAsync();
        for (var i = 0; i < 10; i++) Assert.Null((await Leases.PutKeyAsync($"k/{i}", Put("up", grant))).Refusal);
        Assert.Null((await Leases.PutKeyAsync("free", Put("stays"))).Refusal);
        for (var i = 0; i < 100; i++) Storage.KeyWrites.Enqueue(Throw(written: false));
        Assert.Null((await Leases.ReleaseAsync(Release(grant))).Refusal);
        await _cluster.StopSiloAsync();
        Assert.Equal(11L, await CountAsync("select count(*) from lease_keys where service_id = $1"));

        await using var later = await Cluster.OnPostgresAsync(_serviceId, storage: storage);

        await UntilAsync(async () =>
        {
            later.Time.Advance(TimeSpan.FromMinutes(1));
            return await CountAsync("select count(*) from lease_keys where service_id = $1") == 1;
        });
        Assert.Equal("stays", (await later.Leases.GetKeyAsync("free")).Value.Value);
    }

    [Fact]
    public async Task Restart_KeepsTheLast1024RequestIds()
    {
        const int Remembered = 1_024;
        for (var i = 0; i < 1_100; i++) Assert.Null((await _cluster.Leases.AddToCounterAsync(K, Add(i))).Refusal);
        await _cluster.StopSiloAsync();

        await using var later = await Cluster.OnPostgresAsync(_serviceId, storage: storage);

        for (var i = 1_100 - Remembered; i < 1_100; i++)
        {
            var repeat = (await later.Leases.AddToCounterAsync(K, Add(i))).Value;
            Assert.Equal((i + 1, i + 1, true), (repeat.Value, repeat.Version, repeat.Replayed));
        }

        Assert.Equal("1100", (await later.Leases.GetKeyAsync(K)).Value.Value);
        Assert.Equal(64L, await CountAsync("select count(*) from lease_log where service_id = $1"));

        static AddToCounterRequest Add(int number) => new() { Delta = 1, RequestId = $"{number}" };
    }

    [Fact]
    public async Task View_ShowsTheKeysThatAreThere()
    {
        var grant = await GrantAsync();
        Assert.Null((await Leases.PutKeyAsync("bound", Put("up\0\n\"", grant))).Refusal);
        Assert.Null((await Leases.PutKeyAsync("free", Put("stays"))).Refusal);
        Assert.Null((await Leases.PutKeyAsync("deleted", Put("x"))).Refusal);
        Assert.Null((await Leases.DeleteKeyAsync("deleted")).Refusal);
        Assert.Null((await Leases.AddToCounterAsync("counter", new AddToCounterRequest { Delta = 7 })).Refusal);

        Assert.Equal(
            $"bound=up\n\" orders/42 me {grant.Token};counter=7 - - -;free=stays - - -",
            await ScalarAsync<string>(
                """
                select string_agg(
                format('%s=%s %s %s %s', key, value, coalesce(resource, '-'), coalesce(owner, '-'), coalesce(token::text, '-')),
                ';' order by key)
                from lease_keys where service_id = $1
                """));
    }

    [Fact]
    public async Task RecordOfANewerVersion_IsLeftOutOfListings_AndTheOthersAreListed()
    {
        foreach (var name in new[] { "a", "b", "c" })
        {
            Assert.Null(
                (await Leases.AcquireAsync(new AcquireRequest { Resource = name, Owner = "me", Ttl = TimeSpan.FromSeconds(30) })).Refusal);
            Assert.Null((await Leases.PutKeyAsync(name, Put("x"))).Refusal);
        }

        await Sql.ExecuteAsync(
            await TestDatabase.ConnectionStringAsync(),
            """update lease_record set payload = replace(payload, '"v":1', '"v":99') where service_id = $1 and name like '%b'""",
            _serviceId);
        Assert.Equal(2L, await CountAsync("""select count(*) from lease_record where service_id = $1 and payload like '%"v":99%'"""));

        Assert.Equal(["a", "c"], (await Leases.ListAsync(new ListLeasesRequest())).Value.Leases.Select(lease => lease.Resource));
        Assert.Equal(["a", "c"], (await Leases.ListKeysAsync(new ListKeysRequest())).Value.Keys.Select(key => key.Key));
    }

    private static Func<Func<Task>, Task> Throw(bool written) => async write =>
    {
        if (written) await write();
        throw new IOException("the cable");
    };

    private async Task<LeaseGrant> GrantAsync() => (await Leases.AcquireAsync(Acquire("orders/42", "me"))).Value;

    private async Task<T> ScalarAsync<T>(string sql) =>
        await Sql.ScalarAsync<T>(await TestDatabase.ConnectionStringAsync(), sql, _serviceId);

    private Task<long> CountAsync(string sql) => ScalarAsync<long>(sql);

    private Task UntilCleanAsync() => UntilAsync(async () =>
        await CountAsync("select count(*) from lease_keys where service_id = $1") == 0
        && await CountAsync("select count(*) from lease_record where service_id = $1 and kind = 'lease' and due is not null") == 0);
}
