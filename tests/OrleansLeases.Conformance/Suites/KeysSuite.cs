namespace OrleansLeases.Conformance.Suites;

/// <summary>PUT, GET and DELETE /v1/keys/{key} of keys that stand free.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class KeysSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private const string K = "config/color";

    [Fact]
    public async Task Put_OfANewKey_IsVersion1()
    {
        var put = (await PutAsync(K, "blue")).Value;

        Assert.Equal((K, 1), (put.Key, put.Version));
        Assert.Equal(new KeyValue { Key = K, Value = "blue", Version = 1 }, (await Leases.GetKeyAsync(K)).Value);
    }

    [Fact]
    public async Task Get_OfAKeyNeverPut_IsNotFound() => Refused<Refusal.NotFound, KeyValue>(await Leases.GetKeyAsync(K));

    [Fact]
    public async Task Put_OfAnExistingKey_ReplacesTheValueAndCounts()
    {
        await PutAsync(K, "blue");

        Assert.Equal(2, (await PutAsync(K, "red")).Value.Version);
        Assert.Equal(3, (await PutAsync(K, "red")).Value.Version);
        Assert.Equal("red", await ValueAsync(K));
    }

    [Fact]
    public async Task Delete_OfAnExistingKey_SaysSoOnce()
    {
        await PutAsync(K, "blue");

        Assert.Equal(new KeyDeletion { Key = K, Existed = true }, (await Leases.DeleteKeyAsync(K)).Value);
        Assert.Equal(new KeyDeletion { Key = K, Existed = false }, (await Leases.DeleteKeyAsync(K)).Value);
        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Delete_OfAKeyNeverPut_FindsNothing() => Assert.False((await Leases.DeleteKeyAsync(K)).Value.Existed);

    [Fact]
    public async Task Version_AfterADelete_GoesOn()
    {
        await PutAsync(K, "blue");
        await Leases.DeleteKeyAsync(K);
        await Leases.DeleteKeyAsync(K);

        Assert.Equal(3, (await PutAsync(K, "red")).Value.Version);
    }

    [Fact]
    public async Task Put_IfVersion_WritesOnlyThatVersion()
    {
        await PutAsync(K, "one");

        Assert.Equal(2, (await PutAsync(K, "two", ifVersion: 1)).Value.Version);
        Assert.Equal(2, Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "three", ifVersion: 1)).Current);
        Assert.Equal(2, Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "three", ifVersion: 3)).Current);
        Assert.Equal("two", await ValueAsync(K));
    }

    [Fact]
    public async Task Put_IfVersion0_WritesOnlyANewKey()
    {
        Assert.Equal(0, Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "one", ifVersion: 1)).Current);
        await PutAsync(K, "one", ifVersion: 0);
        Assert.Equal(1, Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "two", ifVersion: 0)).Current);
        await Leases.DeleteKeyAsync(K);

        Assert.Equal(0, Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "three", ifVersion: 2)).Current);
        Assert.Equal(3, (await PutAsync(K, "three", ifVersion: 0)).Value.Version);
    }

    [Fact]
    public async Task Delete_IfVersion_DeletesOnlyThatVersion()
    {
        await PutAsync(K, "one");

        Assert.Equal(1, Refused<Refusal.Conflict, KeyDeletion>(await Leases.DeleteKeyAsync(K, 2)).Current);
        Assert.True((await Leases.DeleteKeyAsync(K, 1)).Value.Existed);
        Assert.Equal(0, Refused<Refusal.Conflict, KeyDeletion>(await Leases.DeleteKeyAsync(K, 1)).Current);
    }

    [Fact]
    public async Task Put_Repeated_IsAppliedOnce()
    {
        var put = (await PutAsync(K, "one", requestId: "once")).Value;
        await PutAsync(K, "two");

        Assert.Equal(put, (await PutAsync(K, "one", requestId: "once")).Value);
        Assert.Equal("two", await ValueAsync(K));
    }

    [Fact]
    public async Task Put_RepeatedAfterADelete_DoesNotBringTheKeyBack()
    {
        await PutAsync(K, "one", ifVersion: 0, requestId: "once");
        await Leases.DeleteKeyAsync(K);

        Assert.Equal(1, (await PutAsync(K, "one", ifVersion: 0, requestId: "once")).Value.Version);
        Assert.Null(await ValueAsync(K));
    }

    [Fact]
    public async Task Put_RepeatedWithOtherContent_IsAConflict()
    {
        await PutAsync(K, "one", requestId: "once");

        Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "two", requestId: "once"));
        Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "one", ifVersion: 1, requestId: "once"));
        Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "one", await GrantAsync("ann"), requestId: "once"));
        Assert.Equal("one", await ValueAsync(K));
    }

    [Fact]
    public async Task RequestIds_AreApartByVerbAndByKey()
    {
        await PutAsync(K, "5", requestId: "once");

        Assert.Equal(1, (await PutAsync("other", "6", requestId: "once")).Value.Version);
        Assert.False((await AddAsync(K, 1, requestId: "once")).Value.Replayed);
        Assert.Equal("6", await ValueAsync(K));
    }

    [Fact]
    public async Task RequestId_ThatWasRefused_MayBeUsedAgain()
    {
        await PutAsync(K, "one");
        Refused<Refusal.Conflict, KeyPut>(await PutAsync(K, "two", ifVersion: 0, requestId: "once"));
        await Leases.DeleteKeyAsync(K);

        Assert.Equal(3, (await PutAsync(K, "two", ifVersion: 0, requestId: "once")).Value.Version);
    }

    [Fact]
    public async Task Put_ByManyAtOnce_CountsEachOnce()
    {
        var versions = await Task.WhenAll(Enumerable.Range(0, 50).Select(async i => (await PutAsync(K, $"{i}")).Value.Version));

        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), versions.Order());
    }

    [Fact]
    public async Task Put_IfVersion_ByManyAtOnce_IsWonByOne()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => PutAsync(K, $"{i}", ifVersion: 0).AsTask()));

        Assert.Single(answers, answer => answer.Refusal is null);
        Assert.All(answers.Where(answer => answer.Refusal is not null), answer => Assert.IsType<Refusal.Conflict>(answer.Refusal));
    }

    public static TheoryData<string> Values =>
        new("", " ", "\0", "a\0\u0001\t\r\n\u007F\u0085b", "\"\\/<>&'", "木🔒e\u0301\uFFFD\uE000\U0010FFFF", "null", "{\"a\":1}");

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Value_OfAnyCharacters_IsTakenAsItIs(string value)
    {
        await PutAsync(K, value);

        Assert.Equal(value, await ValueAsync(K));
        Assert.Equal(value, Assert.Single((await Leases.ListKeysAsync(new())).Value.Keys).Value);
    }

    [Fact]
    public async Task Value_OfTheLongestLength_IsTakenAndBeyondRefused()
    {
        foreach (var longest in new[]
        {
            new string('x', 65_536), new string('\u0001', 65_536), string.Concat(Enumerable.Repeat("木", 21_845)) + "x",
        })
        {
            await PutAsync(K, longest);
            Assert.Equal(longest, await ValueAsync(K));
            AssertBad("value", await PutAsync(K, longest + "x"));
        }
    }

    public static TheoryData<string> Names => NamesSuite<TWorld>.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public async Task EveryCall_WithAName_TakesItAsItIs(string name)
    {
        Assert.Equal(name, (await PutAsync(name, "1")).Value.Key);
        Assert.Equal(name, (await Leases.GetKeyAsync(name)).Value.Key);
        Assert.Equal(name, (await AddAsync(name, 1)).Value.Key);
        Assert.Equal([name], await KeysAsync(name));
        Assert.Equal(name, (await Leases.DeleteKeyAsync(name)).Value.Key);
    }

    [Fact]
    public async Task Names_OfKeysAndResources_AreApart()
    {
        var grant = await GrantAsync("ann");
        await PutAsync(R, "value");

        Assert.Equal("value", await ValueAsync(R));
        await ReleaseAsync(grant);
        Assert.Equal("value", await ValueAsync(R));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a/..")]
    [InlineData("a\nb")]
    public async Task EveryCall_OfABadKey_IsRefusedByName(string key)
    {
        AssertBad("key", await PutAsync(key, "1"));
        AssertBad("key", await Leases.GetKeyAsync(key));
        AssertBad("key", await Leases.DeleteKeyAsync(key));
        AssertBad("key", await AddAsync(key, 1));
    }

    [Fact]
    public async Task EveryCall_WithABadField_IsRefusedByName()
    {
        var grant = await GrantAsync("ann");
        AssertBad("key", await PutAsync(new string('x', 513), "1"));
        AssertBad("value", await PutAsync(K, "\uD800"));
        AssertBad("requestId", await PutAsync(K, "1", requestId: ""));
        AssertBad("requestId", await AddAsync(K, 1, requestId: "a\nb"));
        AssertBad("ifVersion", await PutAsync(K, "1", ifVersion: -1));
        AssertBad("ifVersion", await Leases.DeleteKeyAsync(K, -1));
        AssertBad("lease.resource", await PutAsync(K, "1", grant with { Resource = "a//b" }));
        AssertBad("lease.owner", await PutAsync(K, "1", grant with { Owner = "" }));
        AssertBad("lease.token", await PutAsync(K, "1", grant with { Token = 0 }));
        AssertBad("lease.owner", await AddAsync(K, 1, grant with { Owner = "\uD800" }));
        AssertBad("pageSize", await Leases.ListKeysAsync(new() { PageSize = 0 }));
        AssertBad("pageSize", await Leases.ListKeysAsync(new() { PageSize = 1001 }));
        AssertBad("prefix", await Leases.ListKeysAsync(new() { Prefix = "\uD800" }));
        AssertBad("after", await Leases.ListKeysAsync(new() { After = "\n" }));

        Assert.Null(await ValueAsync(K));
    }

    private static void AssertBad<T>(string field, LeaseResult<T> result)
        where T : class =>
        Assert.Equal([field], Refused<Refusal.InvalidRequest, T>(result).Errors.Keys);
}
