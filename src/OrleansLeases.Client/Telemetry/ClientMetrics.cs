using System.Diagnostics.Metrics;

namespace OrleansLeases.Client.Telemetry;

/// <summary>What clients count: one for each meter, so that several clients of one host add up. Thread-safe.</summary>
internal sealed class ClientMetrics
{
    /// <summary>The meter of the clients.</summary>
    public const string MeterName = "OrleansLeases.Client";

    private const string Reason = "leases.reason";
    private const string Outcome = "leases.outcome";

    // A client over HTTP is disposed of by nobody, and so has no meter to itself.
    private static readonly Lazy<ClientMetrics> Shared = new(() => new(LeaseMeter.Create(factory: null, MeterName)));

    private readonly UpDownCounter<int> _held;
    private readonly Histogram<double> _margins;
    private readonly Counter<int> _lost;
    private readonly Counter<int> _attempts;

    private ClientMetrics(Meter meter)
    {
        _held = meter.CreateUpDownCounter<int>("leases.client.held", "{lease}", "Leases that the client holds and renews.");
        _margins = meter.CreateDuration(
            "leases.client.renewal.margin", "How much of a lease was left when the answer to its renewal came.",
            0, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30, 60, 300, 3_600);
        _lost = meter.CreateCounter<int>("leases.client.lost", "{lease}", "Leases that were lost while they were held, by how.");
        _attempts = meter.CreateCounter<int>("leases.client.attempts", "{attempt}", "Attempts at calls, by server and outcome.");
    }

    /// <summary>Those of a host, or of the process where there is none.</summary>
    public static ClientMetrics Of(IMeterFactory? factory) => factory is null ? Shared.Value : new(LeaseMeter.Create(factory, MeterName));

    public void Held(int more) => _held.Count(more);

    public void Renewed(TimeSpan left) => _margins.Note(left.TotalSeconds);

    public void Lost(NotHolderReason reason) => _lost.Count(1, new KeyValuePair<string, object?>(Reason, WordOf(reason)));

    /// <param name="server">What names the server.</param>
    /// <param name="outcome">What the attempt came to.</param>
    public void Attempted(ServerTags server, string outcome) =>
        _attempts.Count(1, server.Address, server.Port, new KeyValuePair<string, object?>(Outcome, outcome));

    private static string WordOf(NotHolderReason reason) => reason switch
    {
        NotHolderReason.Expired => "expired",
        NotHolderReason.Released => "released",
        NotHolderReason.Transferred => "transferred",
        NotHolderReason.Broken => "broken",
        NotHolderReason.Superseded => "superseded",
        _ => "never-held",
    };
}

/// <summary>What names a server, made once.</summary>
/// <param name="Address">Its host.</param>
/// <param name="Port">Its port.</param>
internal readonly record struct ServerTags(KeyValuePair<string, object?> Address, KeyValuePair<string, object?> Port)
{
    public static ServerTags Of(Uri server) => new(new("server.address", server.Host), new("server.port", server.Port));
}
