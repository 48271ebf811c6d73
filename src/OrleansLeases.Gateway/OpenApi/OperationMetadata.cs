namespace OrleansLeases.Gateway.OpenApi;

/// <summary>What an endpoint takes and answers, for the OpenAPI document. It has no say in how a call is served.</summary>
/// <param name="Name">The name of the operation, unique in the document.</param>
internal sealed record OperationMetadata(string Name)
{
    public static Parameter Resource { get; } =
        new("resource", "path", typeof(string), "The resource's name, percent-encoded; a '/' may stay as it is.");

    public static Parameter Key { get; } =
        new("key", "path", typeof(string), "The key's name, percent-encoded; a '/' may stay as it is.");

    public static Parameter IdempotencyKey { get; } =
        new("Idempotency-Key", "header", typeof(string), "The same as requestId in the body.");

    /// <summary>What it is about.</summary>
    public required string Tag { get; init; }

    public required string Summary { get; init; }

    public string? Description { get; init; }

    public Type? Body { get; init; }

    public Type? Reply { get; init; }

    public string ReplyType { get; init; } = "application/json";

    /// <summary>What comes in the reply where that is a stream, each as JSON.</summary>
    public IReadOnlyList<Type> Events { get; init; } = [];

    /// <summary>Whether it takes calls without a credential wherever it is.</summary>
    public bool IsOpen { get; init; }

    /// <summary>What it may refuse.</summary>
    public IReadOnlyList<RefusalCode> Refusals { get; init; } = [];

    /// <summary>The same, and what each call may be refused for: its caller, or since there is no room.</summary>
    public IEnumerable<RefusalCode> AllRefusals => Refusals
        .Concat(IsOpen ? [] : [RefusalCode.Unauthorized, RefusalCode.Forbidden])
        .Append(RefusalCode.LimitReached)
        .Distinct();

    public IReadOnlyList<Parameter> Parameters { get; init; } = [];

    /// <summary>The names of those in the query.</summary>
    public IEnumerable<string> QueryParameters =>
        Parameters.Where(parameter => parameter.In == "query").Select(parameter => parameter.Name);

    public static Parameter Query(string name, Type type, string description) => new(name, "query", type, description);

    /// <summary>A parameter outside the body.</summary>
    internal sealed record Parameter(string Name, string In, Type Type, string Description);
}
