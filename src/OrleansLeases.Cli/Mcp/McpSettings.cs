namespace OrleansLeases.Cli.Mcp;

/// <summary>How <c>leases mcp</c> serves.</summary>
internal sealed record McpSettings
{
    /// <summary>What the owner names of its agents begin with; null for their principals.</summary>
    public required string? Owner { get; init; }

    /// <summary>How long a lease lives unless renewed.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>How it logs: to standard error, whatever it serves on.</summary>
    public required ServerLog Log { get; init; }

    /// <summary>The addresses to listen on, separated by semicolons; null for standard input and output.</summary>
    public string? Urls { get; init; }

    /// <summary>The names under which it may be called besides its own, separated by semicolons.</summary>
    public string AllowedHosts { get; init; } = "";

    /// <summary>The certificate of https addresses.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Its private key.</summary>
    public string? KeyFile { get; init; }

    /// <summary>How long an agent without a connection keeps its session, and its leases.</summary>
    public TimeSpan Idle { get; init; }

    /// <summary>Whether others may reach it though the lease server asks nobody who is calling.</summary>
    public bool IsInsecure { get; init; }
}
