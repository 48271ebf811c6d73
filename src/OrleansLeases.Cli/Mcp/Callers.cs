namespace OrleansLeases.Cli.Mcp;

/// <summary>Who calls.</summary>
internal static class Callers
{
    /// <summary>Everybody, to a service that asks nobody who is calling.</summary>
    public const string Anonymous = "anonymous";
}
