using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Audit;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>What is recorded of calls over HTTP, in the log and in the file.</summary>
public sealed class AuditTests : IAsyncLifetime
{
    private const string Credential = "the-secret-of-ci";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("audit");
    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private readonly AccessRights _rights = new("ci", [new() { Prefix = "jobs", Rights = (LeaseRights)15 }]);

    private string Path => System.IO.Path.Combine(_folder.FullName, "audit.jsonl");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _leases.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Burst_OfRefusals_IsNotedOnceAMinute()
    {
        var time = new ManualTimeProvider();
        var bursts = new RefusalBursts(time);

        Assert.Equal([100, 400], Enumerable.Range(1, 450).Where(i =>
        {
            if (i == 301) time.Advance(TimeSpan.FromMinutes(1));
            return bursts.Note();
        }));
    }

    [Fact]
    public async Task Burst_OfRefusals_IsOneWarning()
    {
        await using var host = await StartAsync(gateway => gateway.Authenticate = _ => new(new Refusal.Unauthorized("No credential.")));

        for (var i = 0; i < 120; i++) await host.GetAsync("/v1/info");

        Assert.Single(
            host.Log.Of("OrleansLeases.Audit"),
            line => line.StartsWith("100 calls were refused within a minute", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Changes_AndRefusalsForLackOfRights_AreOneRecordEach_InTheFileAndInTheLog()
    {
        var host = await StartAsync(gateway => gateway.Authenticate = context =>
            new(context.Request.Headers.Authorization == $"Bearer {Credential}"
                ? new LeaseCaller("ci", () => _rights)
                : new Refusal.Unauthorized("No credential.")));
        var log = host.Log;
        await using (host)
        {
            await host.PostAsync("/v1/leases/acquire", """{"resource":"jobs/1","owner":"ci","ttlMs":1000}""");
            await host.PostAsync("/v1/nothing", "{}");
            host.Client.DefaultRequestHeaders.Authorization = new("Bearer", Credential);
            await host.PostAsync(
                "/v1/leases/acquire", """{"resource":"jobs/\u202e","owner":"ci","ttlMs":60000,"requestId":"one"}""");
            await host.PostAsync(
                "/v1/batch",
                """
                {"operations":[{"op":"key-put","key":"jobs/k","value":"a hidden value","requestId":"two"},
                {"op":"key-put","key":"other","value":"a hidden value","requestId":"three"},{"op":"get","resource":"jobs/1"},
                {"op":"break","resource":"jobs/1","graceMs":0,"reason":"r","requestId":"four"}]}
                """.ReplaceLineEndings(""));
            await host.GetAsync("/v1/history/other");
            await host.GetAsync("/v1/leases/jobs/1");
            Assert.Equal(403, (await host.GetAsync("/v1/tokens")).Status);
        }

        var records = AuditReader.Read(Path).ToArray();
        Assert.Equal(
            [
                "acquire:::unauthorized:", "unknown:::unauthorized:", "acquire:jobs/\u202e:ci:ok:one", "put-key:jobs/k::ok:two",
                "put-key:other::forbidden:three", "break:jobs/1::not-holder:four", "history:other::forbidden:", "list-tokens:::forbidden:",
            ],
            records.Select(Text));
        Assert.All(records, record => Assert.Equal("127.0.0.1", record!.Address));
        Assert.Equal([null, null, "ci", "ci", "ci", "ci", "ci", "ci"], records.Select(record => record!.Principal));

        var logged = log.Of(AuditLog.Category);
        Assert.Equal(records.Length, logged.Count);
        Assert.StartsWith(
            $@"acquire of 'jobs/\u202e' for the owner 'ci' with token {records[2]!.Token} by 'ci' from 127.0.0.1: ok; request id 'one'",
            logged[2], StringComparison.Ordinal);
        foreach (var text in logged.Append(await File.ReadAllTextAsync(Path)))
        {
            Assert.DoesNotContain("hidden", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Credential, text, StringComparison.Ordinal);
            Assert.DoesNotContain('\u202e', text);
        }
    }

    [Fact]
    public async Task Calls_WhereNobodyIsAsked_AreOfAnonymous_AndKeepTheirRequestIds()
    {
        AcquireRequest request = new() { Resource = "r", Owner = "ann", Ttl = TimeSpan.FromMinutes(1), RequestId = "one" };
        var first = (await _leases.AcquireAsync(request)).Value;
        await using (var host = await StartAsync())
        {
            var repeat = await host.PostAsync(
                "/v1/leases/acquire", """{"resource":"r","owner":"ann","ttlMs":60000,"requestId":"one"}""");
            Assert.True(repeat.Body.GetProperty("replayed").GetBoolean());
            Assert.Equal("anonymous", (await host.GetAsync("/v1/whoami")).Body.GetProperty("principal").GetString());
        }

        var record = Assert.Single(AuditReader.Read(Path));
        Assert.Equal(("anonymous", "acquire", first.Token, "one"), (record!.Principal, record.Verb, record.Token, record.RequestId));
    }

    [Fact]
    public void Refusals_ThatComeTooFast_AreCounted_AndWhatOthersAreRefusedIsNot()
    {
        var time = new ManualTimeProvider();
        var budget = new RefusalBudget(time);
        var recorded = Enumerable.Range(0, 5_000).Count(_ => budget.TryTake("mallory", out var none) && none == 0);
        Assert.Equal(RefusalBudget.Burst, recorded);
        Assert.True(budget.TryTake("ann", out _));
        Assert.True(budget.TryTake(null, out _));

        time.Advance(RefusalBudget.Every);

        Assert.True(budget.TryTake("mallory", out var omitted));
        Assert.Equal(5_000 - RefusalBudget.Burst, omitted);
        Assert.DoesNotContain(Enumerable.Range(0, 100), _ => budget.TryTake("mallory", out var _));
    }

    // Who has no credential can call as often as it likes, from anywhere.
    [Fact]
    public async Task CallsWithoutACredential_HoweverMany_FillNoFile_AndAreCounted()
    {
        var time = new ManualTimeProvider();
        const int Calls = RefusalBudget.UnknownBurst + 50;
        var host = await StartAsync(
            gateway => gateway.Authenticate = context => new(
                context.Request.Headers.Authorization == $"Bearer {Credential}"
                    ? new LeaseCaller("ci", () => _rights)
                    : new Refusal.Unauthorized("No credential.")),
            time);
        var log = host.Log;
        await using (host)
        {
            for (var i = 0; i < Calls; i++) Assert.Equal(401, (await host.GetAsync($"/v1/leases/{i}")).Status);
            time.Advance(RefusalBudget.UnknownEvery);
            await host.GetAsync("/v1/leases/last");
            await host.GetAsync("/v1/leases/too-soon");
            host.Client.DefaultRequestHeaders.Authorization = new("Bearer", Credential);
            await host.PostAsync("/v1/leases/acquire", """{"resource":"jobs/1","owner":"ci","ttlMs":1000}""");
        }

        var records = AuditReader.Read(Path).ToArray();
        Assert.Equal(RefusalBudget.UnknownBurst + 2, records.Length);
        Assert.Equal(50, records[^2]!.Omitted);
        Assert.Equal("acquire:jobs/1:ci:ok:", Text(records[^1]! with { RequestId = null }));
        Assert.Contains("50 refusals of '(null)' before the last one were not recorded", Assert.Single(
            log.Of(AuditLog.Category), line => line.Contains("refusals", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    // It changed nothing, and lacked no right.
    [Fact]
    public async Task CallsThatAreInvalid_HaveNoRecord()
    {
        await using (var host = await StartAsync())
        {
            Assert.Equal(400, (await host.PostAsync("/v1/leases/acquire", """{"resource":"a//b","owner":"ci","ttlMs":1000}""")).Status);
            Assert.Equal(400, (await host.PostAsync("/v1/leases/acquire", "{}")).Status);
        }

        Assert.Empty(AuditReader.Read(Path));
    }

    // What is made of a caller is kept for its next call.
    [Fact]
    public async Task Caller_ThatComesFromAnotherAddress_IsRecordedWithThatOne()
    {
        var caller = new LeaseCaller("ci", () => _rights);
        var address = new IPAddress(0);
        await using (var host = await GatewayHost.StartAsync(
            _leases,
            options: gateway => gateway.Authenticate = _ => new(caller),
            services: services => services.AddLeaseAudit(audit => audit.File = Path),
            around: (context, next) =>
            {
                context.Connection.RemoteIpAddress = address;
                return next(context);
            }))
        {
            foreach (var one in new[] { "192.0.2.1", "192.0.2.1", "192.0.2.2" })
            {
                address = IPAddress.Parse(one);
                await host.PostAsync("/v1/leases/acquire", """{"resource":"jobs/1","owner":"ci","ttlMs":1000}""");
            }
        }

        Assert.Equal(["192.0.2.1", "192.0.2.1", "192.0.2.2"], AuditReader.Read(Path).Select(record => record!.Address));
    }

    [Fact]
    public async Task Calls_WhereNobodyWantsAnAudit_AreNotLogged()
    {
        await using var host = await GatewayHost.StartAsync(_leases);

        await host.PostAsync("/v1/leases/acquire", """{"resource":"r","owner":"ann","ttlMs":60000}""");

        Assert.Empty(host.Log.Of(AuditLog.Category));
    }

    [Fact]
    public void Logger_ThatFails_FailsNoCall()
    {
        using var log = new AuditLog(new FailingLoggers(), TimeProvider.System);
        var refusal = new Refusal.Unauthorized("There is no credential.");

        for (var i = 0; i < 2 * RefusalBursts.Burst; i++) log.Refused(new DefaultHttpContext(), refusal);
    }

    private static string Text(AuditRecord? record) =>
        $"{record!.Verb}:{record.Name}:{record.Owner}:{record.Outcome}:{record.RequestId}";

    private Task<GatewayHost> StartAsync(Action<LeaseGatewayOptions>? options = null, TimeProvider? time = null) =>
        GatewayHost.StartAsync(
            _leases, time: time, options: options, services: services => services.AddLeaseAudit(audit => audit.File = Path));

    private sealed class FailingLoggers : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("It fails.");

        public void Dispose()
        {
        }
    }
}
