using Microsoft.Extensions.Configuration;

namespace OrleansLeases.Client.Internal;

/// <summary>
/// The options as configuration has them. Their binder is generated, so that it needs no reflection under native AOT; it
/// cannot set what is <c>init</c> only, as <see cref="LeaseClientOptions"/> are.
/// </summary>
internal sealed class LeaseHttpSettings
{
    public List<string> Servers { get; set; } = [];

    public TimeSpan? CallTimeout { get; set; }

    public TimeSpan? ServerTimeout { get; set; }

    public TimeSpan? ConnectTimeout { get; set; }

    public TimeSpan? ConnectionLifetime { get; set; }

    public string? Token { get; set; }

    public string? TokenFile { get; set; }

    public ClientSettings? Client { get; set; }

    /// <summary>Sets what a section of the configuration says, and leaves the rest as it is.</summary>
    /// <exception cref="InvalidOperationException">A name is none of theirs, or a value has another type.</exception>
    public static void Apply(IConfiguration section, LeaseHttpOptions options)
    {
        var settings = section.Get<LeaseHttpSettings>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new();
        foreach (var server in settings.Servers) options.Servers.Add(server);
        options.CallTimeout = settings.CallTimeout ?? options.CallTimeout;
        options.ServerTimeout = settings.ServerTimeout ?? options.ServerTimeout;
        options.ConnectTimeout = settings.ConnectTimeout ?? options.ConnectTimeout;
        options.ConnectionLifetime = settings.ConnectionLifetime ?? options.ConnectionLifetime;
        options.Token = settings.Token ?? options.Token;
        options.TokenFile = settings.TokenFile ?? options.TokenFile;
        if (settings.Client is not { } client) return;
        options.Client = options.Client with
        {
            Owner = client.Owner ?? options.Client.Owner,
            ClockDrift = client.ClockDrift ?? options.Client.ClockDrift,
            ReleaseTimeout = client.ReleaseTimeout ?? options.Client.ReleaseTimeout,
        };
    }

    internal sealed class ClientSettings
    {
        public string? Owner { get; set; }

        public double? ClockDrift { get; set; }

        public TimeSpan? ReleaseTimeout { get; set; }
    }
}
