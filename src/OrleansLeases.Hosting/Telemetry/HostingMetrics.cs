using System.Diagnostics.Metrics;

namespace OrleansLeases.Hosting.Telemetry;

/// <summary>What leased work counts. Thread-safe.</summary>
internal sealed class HostingMetrics
{
    public const string MeterName = "OrleansLeases.Hosting";

    private readonly UpDownCounter<int> _leading;
    private readonly Histogram<double> _terms;
    private readonly Histogram<double> _runs;
    private readonly Histogram<double> _delays;
    private readonly Counter<int> _missed;

    public HostingMetrics(IMeterFactory? factory)
    {
        var meter = LeaseMeter.Create(factory, MeterName);
        _leading = meter.CreateUpDownCounter<int>("leases.leader.leading", "{service}", "Services that this instance leads with.");
        _terms = meter.CreateDuration(
            "leases.leader.term.duration", "How long a service led, by why it ended.",
            1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800);
        _runs = meter.CreateDuration(
            "leases.job.duration", "How long a run of a job took, by its outcome.", 0.01, 0.1, 1, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200);
        _delays = meter.CreateDuration(
            "leases.job.delay", "How long after its tick a run of a job was started.", 0, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 3_600);
        _missed = meter.CreateCounter<int>("leases.job.missed", "{tick}", "Ticks of a job that no instance started in time.");
    }

    public void Leads(string service, int more) => _leading.Count(more, Service(service));

    public void Led(string service, string end, TimeSpan time) =>
        _terms.Note(time.TotalSeconds, Service(service), new("leases.leader.end", end));

    public void Starts(string job, TimeSpan delay) => _delays.Note(delay.TotalSeconds, Job(job));

    public void Ran(string job, string outcome, TimeSpan time) =>
        _runs.Note(time.TotalSeconds, Job(job), new("leases.job.outcome", outcome));

    public void Missed(string job, int ticks) => _missed.Count(ticks, Job(job));

    private static KeyValuePair<string, object?> Service(string name) => new("leases.leader.service", name);

    private static KeyValuePair<string, object?> Job(string name) => new("leases.job.name", name);
}
