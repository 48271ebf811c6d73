using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OrleansLeases.Client;
using OrleansLeases.Hosting.Tests.Support;

namespace OrleansLeases.Hosting.Tests;

public sealed class HostedLeaseExtensionsTests : IAsyncLifetime
{
    private readonly HostingWorld _world = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [InlineData("0 3 * *", "UTC", 0, 60, "ScheduledJobOptions.Schedule is '0 3 * *'")]
    [InlineData("61 3 * * *", "UTC", 0, 60, "ScheduledJobOptions.Schedule is '61 3 * * *'")]
    [InlineData("H 3 * * *", "UTC", 0, 60, "ScheduledJobOptions.Schedule is 'H 3 * * *'")]
    [InlineData("0 3 * * *", "Europe/Atlantis", 0, 60, "ScheduledJobOptions.TimeZone is 'Europe/Atlantis'")]
    [InlineData("0 3 * * *", "UTC", 2, 60, "ScheduledJobOptions.MissedTicks is 2")]
    [InlineData("0 3 * * *", "UTC", 0, -1, "ScheduledJobOptions.StartWithin is -00:00:01")]
    public async Task Job_WithWrongOptions_KeepsTheHostFromStarting(
        string schedule, string zone, int missed, int within, string fault)
    {
        var member = _world.Build("ann", services => services.AddScheduledJob("bills", schedule, (_, _) => Task.CompletedTask, options =>
        {
            options.TimeZone = zone;
            options.MissedTicks = (MissedTicks)missed;
            options.StartWithin = TimeSpan.FromSeconds(within);
        }));

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => member.Host.StartAsync());

        Assert.StartsWith($"bills: {fault}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a//b", 30, "Resource is 'jobs/a//b'; it takes a path of 1 to 512 bytes without empty, . or .. segments, such as jobs/n")]
    [InlineData("a/../b", 30, "Resource is 'jobs/a/../b'; it takes a path")]
    [InlineData("bills", 0, "Lease.Ttl is 00:00:00; it takes 00:00:00.0010000 to")]
    public async Task Job_WithANameOrLeaseThatNoServiceTakes_KeepsTheHostFromStarting(string name, int ttl, string fault)
    {
        var member = _world.Build("ann", services => services.AddScheduledJob(
            name, "0 3 * * *", (_, _) => Task.CompletedTask, options => options.Lease = new() { Ttl = TimeSpan.FromSeconds(ttl) }));

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => member.Host.StartAsync());

        Assert.StartsWith($"{name}: ScheduledJobOptions.{fault}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_WithWrongOptions_KeepsTheHostFromStarting()
    {
        var late = _world.Build(
            "ann", services => services.AddLeaderService<Exporter>(options => options.StopMargin = TimeSpan.FromSeconds(16)));
        var nameless = _world.Build("bob", services => services.AddLeaderService<Generic<int>>());

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => late.Host.StartAsync());
        Assert.EndsWith("StopMargin is 00:00:16; it takes 00:00:00 to 00:00:15.", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<OptionsValidationException>(() => nameless.Host.StartAsync());
        Assert.Contains("LeaderServiceOptions.Resource is empty", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_ThatEveryHostRunsAsWell_IsRefused()
    {
        var member = _world.Build("ann", services => services.AddSingleton(new Exports("ann", []))
            .AddSingleton(new LeaderTerm(Held().Result)).AddHostedService<Exporter>().AddLeaderService<Exporter>());

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => member.Host.StartAsync());

        Assert.Contains("leave out AddHostedService", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoJobs_OfOneResource_AreRefused()
    {
        var member = _world.Build("ann", services => services
            .AddScheduledJob("bills", "0 3 * * *", (_, _) => Task.CompletedTask)
            .AddScheduledJob("letters", "0 3 * * *", (_, _) => Task.CompletedTask, options => options.Resource = "jobs/bills"));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => member.Host.StartAsync());

        Assert.StartsWith("bills and letters have one resource, 'jobs/bills'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWasAddedBefore_IsRefused()
    {
        var services = new ServiceCollection().AddLeaderService<Exporter>()
            .AddScheduledJob("bills", "0 3 * * *", (_, _) => Task.CompletedTask);

        Assert.Throws<InvalidOperationException>(() => services.AddLeaderService<Exporter>());
        Assert.Throws<InvalidOperationException>(() => services.AddScheduledJob("bills", "0 4 * * *", (_, _) => Task.CompletedTask));
    }

    [Fact]
    public async Task Host_WithoutAClient_SaysWhatIsMissing()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLeaderService<Exporter>(options => options.ClientKey = "billing");
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());

        Assert.Contains("needs a LeaseClient of the key 'billing'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_AreFoundByTheName_AndHealthChecksByTheResource()
    {
        var member = await _world.StartAsync("ann", services =>
        {
            services.AddSingleton(new Exports("ann", [])).AddLeaderService<Exporter>();
            services.AddScheduledJob<Bills>("bills", "0 3 * * *");
            services.Configure<ScheduledJobOptions>("bills", options => options.Resource = "night/bills");
        });

        var report = await member.Host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

        Assert.Equal(
            ["leaders/OrleansLeases.Hosting.Tests.Support.Exporter", "night/bills"], report.Entries.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task JobOfAType_IsMadeForEachRun_AndHasItsTickInItsZone()
    {
        var runs = new List<(Bills Job, DateTimeOffset Tick)>();
        await _world.StartAsync("ann", services => services.AddSingleton(runs)
            .AddScheduledJob<Bills>("bills", "30 0 * * *", options =>
            {
                options.TimeZone = "Asia/Kolkata";
                options.StartWithin = TimeSpan.FromHours(6);
            }));

        await _world.SettleAsync(() => _world.Service.GetKeyAsync("jobs/bills").AsTask().Result.Refusal is null);
        for (var day = 0; day < 2; day++)
        {
            _world.Time.Advance(TimeSpan.FromHours(24));
            await _world.SettleAsync(() => runs.Count == day + 1);
        }

        // 00:30 in Kolkata is 19:00 in UTC; five hours late, since the clock leapt: the last one is started at once.
        Assert.NotSame(runs[0].Job, runs[1].Job);
        Assert.Equal(new(2030, 1, 2, 0, 30, 0, TimeSpan.FromHours(5.5)), runs[0].Tick);
        Assert.Equal(TimeSpan.FromHours(5.5), runs[0].Tick.Offset);
    }

    private async Task<LeaseHandle> Held() => await new LeaseClient(_world.Service, time: _world.Time).AcquireAsync("other");

    private sealed class Generic<T> : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask;
    }

    private sealed class Bills(List<(Bills Job, DateTimeOffset Tick)> runs) : IScheduledJob
    {
        public Task RunAsync(ScheduledRun run, CancellationToken cancellationToken)
        {
            runs.Add((this, run.Tick));
            return Task.CompletedTask;
        }
    }
}
