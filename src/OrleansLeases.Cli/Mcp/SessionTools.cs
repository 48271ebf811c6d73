using System.Reflection;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace OrleansLeases.Cli.Mcp;

/// <summary>What one session's agent is offered.</summary>
internal static class SessionTools
{
    /// <summary>Has a server offer the tools of a session.</summary>
    public static void Offer(McpServerOptions options, AgentSession session)
    {
        var version = typeof(SessionTools).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        options.ServerInfo = new Implementation { Name = "leases", Title = "Leases", Version = version };
        options.ServerInstructions = Advice.Instructions;
        options.ToolCollection = [];
        var acquiring = new Acquiring(session);
        object[] all =
            [new LeaseTools(session, acquiring), new LookTools(session), new WatchTools(session, acquiring), new KeyTools(session),
            new TaskTools(session, acquiring)];
        foreach (var tools in all)
        {
            foreach (var method in tools.GetType().GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly))
                options.ToolCollection.Add(new SessionTool(McpServerTool.Create(method, tools), session));
        }
    }
}
