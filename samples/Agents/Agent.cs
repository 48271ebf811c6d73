using System.Text.Json;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Agents;

/// <summary>
/// One agent: it has started <c>leases mcp</c>, and does what the answers of the tools say. Where it claims a task it works; where it is
/// told that a task is busy it takes another, and comes back; where something is lost it stops.
/// </summary>
internal static class Agent
{
    public const string Verb = "agent";

    public static string[] Tasks { get; } = [.. Enumerable.Range(1, 4).Select(task => $"tasks/{task}")];

    public static async Task<int> RunAsync(string server, string name)
    {
        await using var tools = await McpClient.CreateAsync(
            new StdioClientTransport(new()
            {
                Command = Path.Combine(AppContext.BaseDirectory, "leases"),
                // The shorter, the sooner the task of an agent that is dead is free again.
                Arguments = ["mcp", "--server", server, "--ttl", "2s"],
                ShutdownTimeout = TimeSpan.FromSeconds(1),
            }),
            new() { ClientInfo = new() { Name = name, Version = "1" } });
        var open = new Queue<string>(Tasks);
        while (open.TryDequeue(out var task))
        {
            // Waits a little only for what is left: there may be other work first.
            var claim = await CallAsync(tools, "claim_task", ("task", task), ("max_wait_seconds", open.Count < 2 ? 5 : 0));
            switch (claim.Outcome)
            {
                case "claimed":
                    await WorkAsync(tools, task, claim.Json);
                    break;
                case "busy":
                    Console.WriteLine($"leaves {task} to another");
                    open.Enqueue(task);
                    break;
            }
        }

        return 0;
    }

    private static async Task WorkAsync(McpClient tools, string task, JsonElement claim)
    {
        Console.WriteLine($"claimed {task} with token {claim.GetProperty("lease").GetProperty("token")}");
        // The one thing that all tasks change: one agent at a time, and whoever waits is first in the queue when it is free.
        var turn = await CallAsync(tools, "wait_for", ("resource", "repo/main"), ("purpose", task));
        while (turn.Outcome == "waiting") turn = await CallAsync(tools, "wait_for", ("resource", "repo/main"), ("purpose", task));
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        await CallAsync(tools, "release", ("resource", "repo/main"));
        var finished = await CallAsync(tools, "finish_task", ("task", task), ("result", "done"));
        Console.WriteLine(finished.Outcome == "finished" ? $"has done {task}" : $"has lost {task}, and stops");
    }

    private static async Task<(string Outcome, JsonElement Json)> CallAsync(
        McpClient tools, string tool, params (string Name, object Value)[] arguments)
    {
        var result = await tools.CallToolAsync(
            tool, arguments.ToDictionary(argument => argument.Name, argument => (object?)argument.Value));
        var json = JsonDocument.Parse(((TextContentBlock)result.Content[0]).Text).RootElement;
        return (json.GetProperty("outcome").GetString()!, json);
    }
}
