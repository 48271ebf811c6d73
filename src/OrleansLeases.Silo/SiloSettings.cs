using System.Net;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Grains;

namespace OrleansLeases.Silo;

/// <summary>What the configuration file and the environment say.</summary>
internal sealed class SiloSettings
{
    public SiloMode Mode { get; set; }

    public string Urls { get; set; } = "http://127.0.0.1:7400";

    public string AllowedHosts { get; set; } = "";

    /// <summary>The file with the rules of who may do what; null where nobody is asked who is calling.</summary>
    public string? Access { get; set; }

    /// <summary>The certificate of https addresses.</summary>
    public HttpsSettings Https { get; set; } = new();

    public AuditSettings Audit { get; set; } = new();

    /// <summary>How it logs.</summary>
    public LogSettings Log { get; set; } = new();

    /// <summary>How much the gateway takes at once.</summary>
    public ServerBounds Bounds { get; set; } = new();

    /// <summary>Whether others may reach it all the same.</summary>
    public bool Insecure { get; set; }

    public PostgresSettings Postgres { get; set; } = new();

    public ClusterSettings Cluster { get; set; } = new();

    public LeaseSiloOptions Leases { get; set; } = new();

    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Reads a file and the environment over it.</summary>
    /// <param name="file">The file, JSON with comments.</param>
    /// <exception cref="SettingsException">The file cannot be read, or a setting is unknown or wrong.</exception>
    public static SiloSettings Read(string file)
    {
        if (!File.Exists(file)) throw new SettingsException($"There is no configuration file '{file}'. Name one with --config.");
        try
        {
            var configuration = new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file)).AddInMemoryCollection(Overrides()).Build();
            var settings = new SiloSettings();
            configuration.Bind(settings, binder => binder.ErrorOnUnknownConfiguration = true);
            settings.Check();
            return settings;
        }
        catch (Exception error) when (error is InvalidOperationException or InvalidDataException or FormatException)
        {
            throw new SettingsException(
                $"The configuration ({file} and the variables LEASES_…) is wrong: {error.Message}{(error.InnerException is { } inner
                    ? $" {inner.Message}"
                    : "")}");
        }
    }

    // Others use the prefix too: LEASES_SERVER is the command line's, LEASES_PORT is what Kubernetes says of a service of that name.
    private static IEnumerable<KeyValuePair<string, string?>> Overrides() =>
        new ConfigurationBuilder().AddEnvironmentVariables("LEASES_").Build().AsEnumerable()
            .Where(
                setting => typeof(SiloSettings).GetProperties().Any(
                    known => known.Name.Equals(setting.Key.Split(':')[0], StringComparison.OrdinalIgnoreCase)));

    private void Check()
    {
        if (ListenUrls.ProblemOf(nameof(Urls), Urls) is { } problem) throw new SettingsException(problem);
        if (Mode == SiloMode.Gateway && Postgres.ConnectionString is null)
            throw new SettingsException("Mode is gateway, which finds its cluster through the database; set Postgres:ConnectionString.");
        if (Cluster.AdvertisedAddress is { } address && !IPAddress.TryParse(address, out _))
            throw new SettingsException($"Cluster:AdvertisedAddress is '{address}'; it takes an IP address.");
        if (Https.Certificate is null != Https.Key is null)
            throw new SettingsException("Https:Certificate and Https:Key go together; set both, or neither.");
        Cluster.Tls.Check();
        if (ServerLog.ProblemOf(Log.Format) is { } format) throw new SettingsException($"Log:Format {format}");
        try
        {
            Bounds.Check();
        }
        catch (FormatException e)
        {
            throw new SettingsException($"Bounds {e.Message}");
        }

        Port(nameof(Cluster.SiloPort), Cluster.SiloPort);
        Port(nameof(Cluster.GatewayPort), Cluster.GatewayPort);
        if (Cluster.ProbeTimeout <= TimeSpan.Zero)
        {
            throw new SettingsException($"Cluster:ProbeTimeout is {Cluster.ProbeTimeout}; it takes more than zero.");
        }

        AtLeastOne(nameof(Cluster.MissedProbes), Cluster.MissedProbes);
        AtLeastOne(nameof(Cluster.VotesForDeath), Cluster.VotesForDeath);
        if (ShutdownTimeout <= TimeSpan.Zero)
        {
            throw new SettingsException($"ShutdownTimeout is {ShutdownTimeout}; it takes more than zero.");
        }
    }

    private static void Port(string name, int port)
    {
        if (port is < 1 or > 65535) throw new SettingsException($"Cluster:{name} is {port}; it takes 1 to 65535.");
    }

    private static void AtLeastOne(string name, int count)
    {
        if (count < 1) throw new SettingsException($"Cluster:{name} is {count}; it takes 1 or more.");
    }
}

/// <summary>What this process is.</summary>
internal enum SiloMode
{
    /// <summary>A silo with the gateway in it.</summary>
    Silo,

    /// <summary>The gateway alone, as a client of the cluster.</summary>
    Gateway,
}

/// <summary>A certificate with its key; neither, for what Kestrel's own configuration says.</summary>
internal sealed class HttpsSettings
{
    public string? Certificate { get; set; }

    public string? Key { get; set; }
}

internal sealed class LogSettings
{
    /// <summary><c>text</c> or <c>json</c>.</summary>
    public string Format { get; set; } = ServerLog.Text;

    /// <summary>The least level that is logged, by the beginning of a category's name; <c>Default</c> is for all others.</summary>
    public Dictionary<string, LogLevel> Levels { get; set; } = [];

    public ServerLog ToServerLog() => new() { Format = Format, Levels = Levels };
}

internal sealed class AuditSettings
{
    /// <summary>Where changes and refusals are recorded, as JSON lines; null for nowhere.</summary>
    public string? File { get; set; }
}

internal sealed class PostgresSettings
{
    public string? ConnectionString { get; set; }
}

internal sealed class ClusterSettings
{
    public string ClusterId { get; set; } = "leases";

    public string ServiceId { get; set; } = "leases";

    public string? AdvertisedAddress { get; set; }

    public int SiloPort { get; set; } = 11111;

    public int GatewayPort { get; set; } = 30000;

    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    public int MissedProbes { get; set; } = 3;

    public int VotesForDeath { get; set; } = 2;

    /// <summary>Mutual TLS with the other silos and with Orleans clients, where it has a certificate.</summary>
    public ClusterTlsSettings Tls { get; set; } = new();
}

/// <summary>PEM files, all three or none.</summary>
internal sealed class ClusterTlsSettings
{
    public string? Certificate { get; set; }

    public string? Key { get; set; }

    public string? Authority { get; set; }

    public bool IsOn => Certificate is not null;

    /// <exception cref="SettingsException">One is there without another.</exception>
    public void Check()
    {
        var files = new[] { (nameof(Certificate), Certificate), (nameof(Key), Key), (nameof(Authority), Authority) };
        var missing = files.Where(file => file.Item2 is null).Select(file => $"Cluster:Tls:{file.Item1}").ToArray();
        if (missing.Length is 0 or 3) return;
        throw new SettingsException(
            $"{string.Join(" and ", missing)} {(missing.Length == 1 ? "is" : "are")} missing. Cluster:Tls:Certificate, Cluster:Tls:Key and "
            + "Cluster:Tls:Authority go together; set all three, or none.");
    }
}

/// <summary>The configuration cannot be used; the message says what to change.</summary>
internal sealed class SettingsException(string message) : Exception(message);
