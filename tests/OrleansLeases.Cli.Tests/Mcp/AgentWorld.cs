using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using OrleansLeases.Cli.Mcp;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>Agents on one service and one clock that only the test moves, each by the protocol's own client.</summary>
internal sealed class AgentWorld : IAsyncDisposable
{
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500);

    private readonly List<Agent> _agents = [];

    public AgentWorld() => Service = EmbeddedLeases.InMemory(time: Time);

    public ManualTimeProvider Time { get; } = new();

    public EmbeddedLeases Service { get; }

    /// <summary>Has an agent join.</summary>
    /// <param name="name">What its program calls itself.</param>
    /// <param name="by">What is between it and the service; nothing where left out.</param>
    public async Task<Agent> JoinAsync(string name, ILeaseService? by = null)
    {
        var agent = await Agent.JoinAsync(this, name, by ?? Service);
        _agents.Add(agent);
        return agent;
    }

    public LeaseInfo Look(string resource) => Service.GetAsync(new() { Resource = resource }).AsTask().Result.Value;

    public static Task EventuallyAsync(Func<bool> condition) =>
        Eventually.TrueAsync(condition, () => "What was waited for did not happen.");

    /// <summary>Moves the clock in steps, in which leases are renewed in time however busy the machine is.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var left = by; left > TimeSpan.Zero; left -= Step)
        {
            Time.Advance(left < Step ? left : Step);
            await EventuallyAsync(() => _agents.TrueForAll(agent => agent.RenewalsUnderWay == 0));
        }
    }

    /// <summary>Moves the clock until a call is answered.</summary>
    public async Task<T> AdvanceUntilAsync<T>(Task<T> answered)
    {
        while (!answered.IsCompleted)
        {
            await AdvanceAsync(Step);
            await Task.WhenAny(answered, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }

        return await answered;
    }

    /// <summary>Ends a lease behind its holder's back, and has the holder's session find out.</summary>
    public async Task LoseAsync(string resource)
    {
        await Service.BreakAsync(new() { Resource = resource, Grace = TimeSpan.Zero, Force = true, Reason = "the test says so" });
        Time.Advance(Ttl);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents) await agent.DisposeAsync();
        await Service.DisposeAsync();
    }
}

/// <summary>An agent that is connected.</summary>
internal sealed class Agent : IAsyncDisposable
{
    private readonly AgentSession _session;
    private readonly McpServer _server;
    private readonly Task _running;

    private Agent(AgentSession session, McpServer server, Task running, McpClient client) =>
        (_session, _server, _running, Client) = (session, server, running, client);

    public McpClient Client { get; }

    public string Owner => _session.Owner;

    public int RenewalsUnderWay => _session.Client.RenewalsUnderWay;

    public ConcurrentQueue<ProgressNotificationValue> Progress { get; } = [];

    public static async Task<Agent> JoinAsync(AgentWorld world, string name, ILeaseService service)
    {
        var (up, down) = (new Pipe(), new Pipe());
        var everybody = new CallerInfo { Principal = "anonymous", Rules = [], Quotas = [] };
        var session = new AgentSession(
            service, _ => ValueTask.FromResult<LeaseResult<CallerInfo>>(everybody), "team", AgentWorld.Ttl, world.Time);
        var options = new McpServerOptions();
        SessionTools.Offer(options, session);
        var server = McpServer.Create(new StreamServerTransport(up.Reader.AsStream(), down.Writer.AsStream()), options);
        var running = server.RunAsync();
        var client = await McpClient.CreateAsync(
            new StreamClientTransport(up.Writer.AsStream(), down.Reader.AsStream()),
            new() { ClientInfo = new() { Name = name, Version = "1" } });
        var agent = new Agent(session, server, running, client);
        // The session finds out who calls by the first call.
        await agent.CallAsync("my_leases");
        return agent;
    }

    /// <summary>Calls a tool.</summary>
    public Task<Answer> CallAsync(string tool, params (string Name, object? Value)[] arguments) =>
        CallAsync(tool, arguments, CancellationToken.None);

    /// <summary>Calls a tool, and cancels the call.</summary>
    public async Task<Answer> CallAsync(string tool, (string Name, object? Value)[] arguments, CancellationToken cancellationToken)
    {
        var result = await Client.CallToolAsync(
            tool, arguments.ToDictionary(argument => argument.Name, argument => argument.Value), new Reporter(Progress),
            cancellationToken: cancellationToken);
        return Answer.Of(result);
    }

    /// <summary>Ends what the agent has, as the end of its connection does.</summary>
    public Task EndSessionAsync() => _session.EndAsync();

    /// <summary>Ends the session.</summary>
    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _server.DisposeAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _session.DisposeAsync();
    }

    private sealed class Reporter(ConcurrentQueue<ProgressNotificationValue> reports) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => reports.Enqueue(value);
    }
}
