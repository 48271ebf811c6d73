using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansLeases.Client;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Hosting.Tests.Support;

/// <summary>Several hosts, as it were on machines of their own, on one service and one clock that only the test moves.</summary>
internal sealed class HostingWorld : IAsyncDisposable
{
    // Well below the time in which a lease is renewed.
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(2);

    private readonly List<Member> _members = [];

    public HostingWorld() => Service = EmbeddedLeases.InMemory(time: Time);

    public ManualTimeProvider Time { get; } = new();

    public EmbeddedLeases Service { get; }

    /// <summary>Starts a host that has a client of its own.</summary>
    /// <param name="name">Its owner.</param>
    /// <param name="add">Adds what it hosts.</param>
    /// <param name="time">Its clock, where not that of the world.</param>
    public async Task<Member> StartAsync(string name, Action<IServiceCollection> add, TimeProvider? time = null)
    {
        var member = Build(name, add, time);
        await member.Host.StartAsync();
        return member;
    }

    public Member Build(string name, Action<IServiceCollection> add, TimeProvider? time = null)
    {
        var way = new Way(Service);
        var log = new LogBook();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton(time ?? Time).AddSingleton<ILeaseService>(way).AddSingleton(services => new LeaseClient(
            services.GetRequiredService<ILeaseService>(), new() { Owner = name }, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHealthChecks();
        add(builder.Services);
        var member = new Member(builder.Build(), way, log);
        _members.Add(member);
        return member;
    }

    /// <summary>Moves the clock, slowly, until something has happened.</summary>
    public async Task UntilAsync(Func<bool> hasHappened)
    {
        await Time.AdvanceUntilAsync(() =>
        {
            if (hasHappened()) return true;
            if (IsRenewing()) return false;
            Time.Advance(Step);
            return false;
        }, TimeSpan.Zero);
    }

    /// <summary>Lets other threads do what they do by now: the clock stands still.</summary>
    public Task SettleAsync(Func<bool> hasHappened) => Time.AdvanceUntilAsync(hasHappened, TimeSpan.Zero);

    /// <summary>Moves the clock. Leases that can be renewed are renewed meanwhile.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        for (var end = Time.Elapsed + time; Time.Elapsed < end;)
        {
            Time.Advance(end - Time.Elapsed < Step ? end - Time.Elapsed : Step);
            await SettleAsync(() => !IsRenewing());
        }
    }

    public LeaseInfo Look(string resource) => Service.GetAsync(new() { Resource = resource }).AsTask().Result.Value;

    public async ValueTask DisposeAsync()
    {
        foreach (var member in _members)
        {
            member.Way.IsCut = false;
            using var atOnce = new CancellationTokenSource(TimeSpan.FromSeconds(5), TimeProvider.System);
            await member.Host.StopAsync(atOnce.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ((IAsyncDisposable)member.Host).DisposeAsync();
        }

        await Service.DisposeAsync();
    }

    private bool IsRenewing() =>
        _members.Exists(member => member.Host.Services.GetRequiredService<LeaseClient>().RenewalsUnderWay > 0);
}

/// <summary>One host.</summary>
internal sealed record Member(IHost Host, Way Way, LogBook Log)
{
    public async Task<HealthReportEntry> HealthAsync(string check) =>
        (await Host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries[check];
}

/// <summary>The way between a host and the service.</summary>
internal sealed class Way(ILeaseService service) : ForwardingLeases(service)
{
    /// <summary>Nothing comes through any more: the host is as good as dead, though its code goes on.</summary>
    public bool IsCut { get; set; }

    /// <summary>How many answers to marks of ticks are lost.</summary>
    public int LosesAnswersToPuts { get; set; }

    /// <summary>How often the mark of a tick was read.</summary>
    public int Reads { get; private set; }

    /// <summary>Marks of ticks are not made, though nobody says so.</summary>
    public bool DropsPuts { get; set; }

    /// <summary>The mark that was dropped last.</summary>
    public PutKeyRequest? Dropped { get; private set; }

    /// <summary>Called before each mark of a tick.</summary>
    public Action? BeforePut { get; set; }

    /// <summary>Called after each mark of a tick was made.</summary>
    public Func<Task>? AfterPut { get; set; }

    public override async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(
        AcquireRequest request, CancellationToken cancellationToken = default) =>
        IsCut ? Away : await base.AcquireAsync(request, cancellationToken);

    public override async ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default) =>
        IsCut ? Away : await base.RenewBatchAsync(request, cancellationToken);

    public override async ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(
        ReleaseRequest request, CancellationToken cancellationToken = default) =>
        IsCut ? Away : await base.ReleaseAsync(request, cancellationToken);

    public override async ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        if (IsCut) return Away;
        var value = await base.GetKeyAsync(key, cancellationToken);
        Reads++;
        return value;
    }

    public override async ValueTask<LeaseResult<KeyPut>> PutKeyAsync(
        string key, PutKeyRequest request, CancellationToken cancellationToken = default)
    {
        // A mark that a job begins with is no tick's.
        var isTick = request.IfVersion > 0;
        if (isTick) BeforePut?.Invoke();
        if (IsCut) return Away;
        if (isTick && DropsPuts)
        {
            Dropped = request;
            return new Refusal.OutcomeUnknown(request.RequestId, "No answer came.");
        }

        var put = await base.PutKeyAsync(key, request, cancellationToken);
        if (isTick && AfterPut is { } after) await after();
        if (IsCut) return Away;
        if (LosesAnswersToPuts == 0 || !isTick) return put;
        LosesAnswersToPuts--;
        return new Refusal.OutcomeUnknown(request.RequestId, "The answer was lost.");
    }

    private static Refusal.Unavailable Away => new(TimeSpan.FromSeconds(1), "Nobody answers.");
}
