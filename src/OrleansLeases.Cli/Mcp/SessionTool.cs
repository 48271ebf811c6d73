using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>A tool of a session: it first has the session find out who calls, and answers what it throws.</summary>
internal sealed class SessionTool(McpServerTool tool, AgentSession session) : DelegatingMcpServerTool(tool)
{
    public override async ValueTask<CallToolResult> InvokeAsync(
        RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken = default)
    {
        var gone = (request.User as Caller)?.Gone ?? CancellationToken.None;
        try
        {
            return await session.CallAsync(
                async ends => await session.StartAsync(request.Server.ClientInfo?.Name, ends) is { } refusal
                    ? Reply.Refused(session, refusal)
                    : await base.InvokeAsync(request, ends),
                gone, cancellationToken);
        }
        catch (Exception over) when (
            over is OperationCanceledException or ObjectDisposedException && !cancellationToken.IsCancellationRequested)
        {
            // With the agent's connection, the session, or the lease that the call was about.
            return Reply.Wrong(session, "unknown", "The call was ended before it was done.", Advice.LookFirst);
        }
        catch (LeaseRefusedException refused)
        {
            return Reply.Refused(session, refused.Refusal);
        }
        catch (LeaseLostException lost)
        {
            return Reply.Wrong(session, "lost", lost.Message, Advice.Lost);
        }
        catch (Exception wrong) when (wrong is ArgumentException or System.Text.Json.JsonException)
        {
            return Reply.Wrong(session, "invalid-request", wrong.Message, "Mend the arguments and call again.");
        }
    }
}
