using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Cli.Serving;

/// <summary>How <c>leases serve</c> serves.</summary>
internal sealed record ServeSettings
{
    /// <summary>Where the leases are kept; null to keep them in memory.</summary>
    public required string? Folder { get; init; }

    /// <summary>The addresses to listen on, separated by semicolons.</summary>
    public required string Urls { get; init; }

    /// <summary>The names under which it may be called besides its own, separated by semicolons.</summary>
    public required string AllowedHosts { get; init; }

    /// <summary>The rules of who may do what; null where nobody is asked who is calling.</summary>
    public required string? AccessFile { get; init; }

    /// <summary>The certificate of https addresses; null for what Kestrel's own configuration says.</summary>
    public required string? CertificateFile { get; init; }

    /// <summary>Its private key.</summary>
    public required string? KeyFile { get; init; }

    /// <summary>Where changes and refusals are recorded; null for nowhere.</summary>
    public required string? AuditFile { get; init; }

    /// <summary>How much it takes at once.</summary>
    public required ServerBounds Bounds { get; init; }

    /// <summary>How long names are kept that are not in use.</summary>
    public required RetainedNames Retained { get; init; }

    /// <summary>How it logs.</summary>
    public required ServerLog Log { get; init; }

    /// <summary>Whether others may reach it all the same.</summary>
    public required bool IsInsecure { get; init; }
}
