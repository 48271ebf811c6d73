using System.Diagnostics.Metrics;

namespace OrleansLeases.Core;

/// <summary>What the front counts of the calls that it answers. Thread-safe.</summary>
internal sealed class OperationMetrics
{
    private readonly Histogram<double> _durations;
    private readonly Histogram<int> _batches;
    private readonly Counter<long> _quotaRefusals;
    private readonly Counter<long> _accessRefusals;

    public OperationMetrics(Meter meter)
    {
        _durations = meter.CreateDuration(
            "leases.operation.duration", "How long the service took to answer a call, the wait in the queue included.",
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);
        _batches = meter.CreateSize("leases.batch.size", "{operation}", "How many operations a batch had.");
        _quotaRefusals = meter.CreateCounter<long>(
            "leases.quota.refusals", "{operation}", "Calls that were refused since their caller had used up a quota.");
        _accessRefusals = meter.CreateCounter<long>(
            "leases.access.refusals", "{operation}", "Calls that were refused since their caller has no right to them.");
    }

    /// <summary>Whether anybody wants to know how long calls take.</summary>
    public bool TimesCalls => _durations.Enabled;

    public void Answered(string verb, string outcome, TimeSpan took) =>
        _durations.Note(took.TotalSeconds, Tags.Of(Tags.Verb, verb), Tags.Of(Tags.Outcome, outcome));

    public void Batched(string verb, int operations) => _batches.Note(operations, Tags.Of(Tags.Verb, verb));

    public void OverQuota(Refusal refusal)
    {
        if (refusal is Refusal.LimitReached { Limit: var limit }) _quotaRefusals.Count(1, Tags.Of(Tags.Limit, limit));
    }

    public void Forbidden(string verb) => _accessRefusals.Count(1, Tags.Of(Tags.Verb, verb));
}
