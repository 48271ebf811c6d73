using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

public sealed class ReadTests : IAsyncLifetime
{
    private readonly ScriptedLeases _leases = new();
    private GatewayHost _host = null!;

    public async Task InitializeAsync() => _host = await GatewayHost.StartAsync(_leases);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Get_WhenAsked_TellsTheState()
    {
        _leases.OnGet = request => ScriptedLeases.Free(request.Resource) with
        {
            State = LeaseStatus.Held,
            Capacity = 2,
            AvailableIn = TimeSpan.FromSeconds(1),
            LastToken = 3,
            Holders =
            [
                new LeaseHolder
                {
                    Owner = "o",
                    Token = 3,
                    Mode = LeaseMode.Shared,
                    Ttl = TimeSpan.FromSeconds(1),
                    Remaining = TimeSpan.FromSeconds(1),
                    Metadata = new Dictionary<string, string> { ["k"] = "v" },
                    Keys = ["key"],
                },
            ],
        };
        var reply = await _host.GetAsync("/v1/leases/a?consistent=false");
        Assert.Equal(
            """{"resource":"a","state":"held","holders":[{"owner":"o","token":3,"mode":"shared","ttlMs":1000,"remainingMs":1000"""
            + ""","metadata":{"k":"v"},"keys":["key"]}],"capacity":2,"availableInMs":1000,"lastToken":3,"waiters":0,"sequence":0}""",
            reply.Body.GetRawText());
        Assert.Equal((200, "application/json"), (reply.Status, reply.ContentType));
        Assert.Equal(new GetLeaseRequest { Resource = "a" }, Assert.Single(_leases.Asked));
    }

    [Fact]
    public async Task List_WhenEveryParameterIsGiven_AsksForAllOfIt()
    {
        var reply = await _host.GetAsync("/v1/leases?prefix=a%2Fb+c%2B&owner=%C3%A9&state=any&&pageSize=7&%61fter=x%3D%26");
        Assert.Equal(
            new ListLeasesRequest { Prefix = "a/b c+", Owner = "é", State = LeaseFilter.Any, PageSize = 7, After = "x=&" },
            Assert.Single(_leases.Asked));
        Assert.Equal("a", reply.Body.GetProperty("next").GetString());
        Assert.Equal("1970-01-01T00:00:00+00:00", reply.Body.GetProperty("asOf").GetString());
    }

    [Theory]
    [InlineData("/v1/leases")]
    [InlineData("/v1/leases?")]
    public async Task List_WhenNothingIsGiven_AsksForTheDefaults(string target)
    {
        await _host.GetAsync(target);
        Assert.Equal(new ListLeasesRequest(), Assert.Single(_leases.Asked));
    }

    [Theory]
    [InlineData("/v1/leases?state=Held", "state", "'held', 'free', 'any'")]
    [InlineData("/v1/leases?state=", "state", "'held', 'free', 'any'")]
    [InlineData("/v1/leases?state=1", "state", "'held', 'free', 'any'")]
    [InlineData("/v1/leases?pageSize=ten", "pageSize", "integer")]
    [InlineData("/v1/leases?pageSize=1.0", "pageSize", "integer")]
    [InlineData("/v1/leases?pageSize=", "pageSize", "integer")]
    [InlineData("/v1/leases?pageSize", "pageSize", "integer")]
    [InlineData("/v1/leases?pageSize=%201", "pageSize", "integer")]
    [InlineData("/v1/leases?pageSize=99999999999", "pageSize", "integer")]
    [InlineData("/v1/leases?prefix=a&prefix=a", "prefix", "more than once")]
    [InlineData("/v1/leases?prefix=%FF", "prefix", "UTF-8")]
    [InlineData("/v1/leases?owner=%zz", "owner", "hexadecimal")]
    [InlineData("/v1/leases?after=a%2", "after", "hexadecimal")]
    [InlineData("/v1/leases?Prefix=a", "Prefix", "prefix, owner, state, pageSize, after")]
    [InlineData("/v1/leases?consistent=true", "consistent", "no parameter")]
    [InlineData("/v1/leases?a%FF=true", "a%FF", "no parameter")]
    [InlineData("/v1/leases?=true", "", "no parameter")]
    [InlineData("/v1/leases/a?consistent", "consistent", "true or false")]
    [InlineData("/v1/leases/a?consistent=1", "consistent", "true or false")]
    [InlineData("/v1/leases/a?consistent=True", "consistent", "true or false")]
    [InlineData("/v1/leases/a?consistent=true&consistent=true", "consistent", "more than once")]
    [InlineData("/v1/leases/a?pageSize=1", "pageSize", "consistent")]
    [InlineData("/v1/history/a?consistent=true", "consistent", "none")]
    public async Task Get_WhenQueryIsWrong_NamesTheParameter(string target, string parameter, string says)
    {
        await using var connection = await _host.ConnectAsync();
        await connection.SendGetAsync(target);
        Assert.Contains(says, Reply.Parse(await connection.ReadAsync()).AssertInvalid(parameter), StringComparison.Ordinal);
        Assert.Empty(_leases.Asked);
    }

    [Fact]
    public async Task Get_WhenMuchIsWrong_TellsAllOfIt()
    {
        var reply = await _host.GetAsync("/v1/leases/%FF?consistent=1&x=2&y");
        foreach (var field in new[] { "resource", "consistent", "x", "y" }) reply.AssertInvalid(field);
    }

    [Fact]
    public async Task Info_WhenReady_TellsWhatTheServicePromises()
    {
        Assert.Equal(
            """{"version":"1","engine":"scripted","durable":false,"epoch":0,"graceMs":1000,"retainMs":0,"limits":{"minTtlMs":100"""
            + ""","maxTtlMs":86400000,"maxWaitMs":25000,"maxHolders":1000,"maxWaiters":1000,"maxBatch":1000,"maxKeys":1000}}""",
            (await _host.GetAsync("/v1/info")).Body.GetRawText());
        Assert.Equal((200, """{"status":"ready"}"""), await HealthAsync("ready"));
        Assert.Equal((200, """{"status":"live"}"""), await HealthAsync("live"));
    }

    [Fact]
    public async Task Ready_WhenTheServiceIsNotReady_IsUnavailable()
    {
        _leases.NotReady = new Refusal.Unavailable(TimeSpan.FromSeconds(2.1), "Starting.");
        foreach (var path in new[] { "/health/ready", "/v1/info" })
        {
            var reply = await _host.GetAsync(path);
            Assert.Equal((503, "urn:orleans-leases:unavailable", "3"), (reply.Status, reply.Type, reply.RetryAfter));
        }

        Assert.Equal(200, (await HealthAsync("live")).Status);
    }

    [Fact]
    public async Task Ready_WhenTheServiceFails_IsUnavailable()
    {
        _leases.OnInfo = () => throw new InvalidOperationException("Broken.");
        Assert.Equal(503, (await HealthAsync("ready")).Status);
    }

    [Fact]
    public async Task Ready_WhenTheHostIsStopping_IsUnavailable()
    {
        var info = _leases.OnInfo;
        _leases.OnInfo = () =>
        {
            _host.Lifetime.StopApplication();
            return info();
        };
        Assert.Equal(503, (await HealthAsync("ready")).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Answer_WhenTheHostIsStopping_AsksForTheConnectionToBeClosed(bool stopping)
    {
        var info = _leases.OnInfo;
        _leases.OnInfo = () =>
        {
            if (stopping) _host.Lifetime.StopApplication();
            return info();
        };
        using var answer = await _host.Client.GetAsync(new Uri("/v1/info", UriKind.Relative));
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(stopping, answer.Headers.ConnectionClose ?? false);
    }

    private async Task<(int Status, string Body)> HealthAsync(string which)
    {
        var reply = await _host.GetAsync($"/health/{which}");
        return (reply.Status, reply.Body.GetRawText());
    }
}
