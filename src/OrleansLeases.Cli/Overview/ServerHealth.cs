using System.Text.Json.Serialization;
using OrleansLeases.Cli.Connecting;

namespace OrleansLeases.Cli.Overview;

/// <summary>How one server is.</summary>
internal sealed record ServerHealth
{
    public const string Ready = "ready";
    public const string NotReady = "not-ready";

    public required string Server { get; init; }

    /// <summary><see cref="Ready"/> or <see cref="NotReady"/>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it is not ready.</summary>
    public string? Detail { get; init; }

    [JsonIgnore]
    public bool IsReady => Status == Ready;

    /// <summary>Asks each server.</summary>
    public static Task<ServerHealth[]> OfAllAsync(ServerConnection connection, CancellationToken cancellationToken) =>
        Task.WhenAll(connection.Servers.Select(async server =>
        {
            var answer = await connection.AskAsync(server, "health/ready", CliJson.Default.Answer, cancellationToken);
            return new ServerHealth
            {
                Server = server,
                Status = answer.Refusal is null ? Ready : NotReady,
                Detail = answer.Refusal?.Detail,
            };
        }));

    /// <summary>What a server says of itself.</summary>
    internal sealed record Answer(string Status);
}

/// <summary>How all the servers are.</summary>
internal sealed record ServersHealth(IReadOnlyList<ServerHealth> Servers);
