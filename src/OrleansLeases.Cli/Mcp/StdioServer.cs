using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Server;
using OrleansLeases.Cli.Connecting;

namespace OrleansLeases.Cli.Mcp;

/// <summary><c>leases mcp</c> on standard input and output: one agent, which started this process.</summary>
internal static class StdioServer
{
    private static readonly PosixSignal[] Ending = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];

    // A script may write its calls, close, and read the answers.
    private static readonly TimeSpan LastCalls = TimeSpan.FromSeconds(2);

    /// <summary>Serves until the input ends, or the process is told to end; then releases what the agent holds.</summary>
    public static async Task<int> RunAsync(ServerConnection connection, McpSettings settings)
    {
        using var loggers = LoggerFactory.Create(logging => settings.Log.Apply(logging));
        using var stop = new CancellationTokenSource();
        var signals = Ending.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        })).ToArray();
        var session = new AgentSession(connection, settings);
        var options = new McpServerOptions();
        SessionTools.Offer(options, session);
        try
        {
            await using var transport = new StdioServerTransport("leases", loggers);
            await using var server = McpServer.Create(transport, options, loggers);
            _ = EndAfterAsync(transport.MessageReader.Completion, session);
            await server.RunAsync(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to end.
        }
        finally
        {
            await session.DisposeAsync();
            foreach (var registration in signals) registration.Dispose();
        }

        return ExitCode.Done;
    }

    // The protocol's server waits for calls under way, and a wait may take minutes that nobody is there for.
    private static async Task EndAfterAsync(Task input, AgentSession session)
    {
        await input.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(LastCalls, TimeProvider.System);
        await session.EndAsync();
    }
}
