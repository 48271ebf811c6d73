using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;

namespace OrleansLeases.Testing.Telemetry;

/// <summary>Makes the meters of a test, and keeps what they count: nobody else's meters are among them. Thread-safe.</summary>
/// <remarks>Its meters are its own, as those of a host: whoever disposes of one does not end it.</remarks>
public sealed class Meters : IMeterFactory
{
    private readonly Lock _gate = new();
    private readonly List<OwnedMeter> _made = [];
    private readonly List<Instrument> _instruments = [];
    private readonly Dictionary<string, double> _series = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _last = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();

    /// <summary>Listens from now on.</summary>
    /// <param name="takes">Whether it keeps what is counted; else it listens and forgets, which allocates nothing.</param>
    public Meters(bool takes = true)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope != this || !instrument.Meter.Name.StartsWith("OrleansLeases", StringComparison.Ordinal)) return;
            lock (_gate) _instruments.Add(instrument);
            listener.EnableMeasurementEvents(instrument);
        };
        if (!takes)
        {
            _listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
            _listener.Start();
            return;
        }

        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>What the meters have.</summary>
    public IReadOnlyList<Instrument> Instruments
    {
        get
        {
            lock (_gate) return [.. _instruments];
        }
    }

    /// <inheritdoc/>
    public Meter Create(MeterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Scope = this;
        var meter = new OwnedMeter(options);
        lock (_gate) _made.Add(meter);
        return meter;
    }

    /// <summary>What has been counted: of a histogram how often, of all else the total.</summary>
    /// <returns>By <c>instrument{value of attribute,…}</c>, the attributes in the order of their names.</returns>
    public Dictionary<string, double> Totals()
    {
        _listener.RecordObservableInstruments();
        lock (_gate) return new(_series, StringComparer.Ordinal);
    }

    /// <summary>What was counted last in a series.</summary>
    /// <param name="series">As in <see cref="Totals"/>.</param>
    /// <returns>The value.</returns>
    public double Last(string series)
    {
        lock (_gate) return _last[series];
    }

    /// <summary>The attributes that were seen, by instrument.</summary>
    public Dictionary<string, SortedSet<string>> Attributes { get; } = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        foreach (var meter in _made) meter.Release();
    }

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        SortedDictionary<string, object?> sorted = new(StringComparer.Ordinal);
        foreach (var (name, content) in tags) sorted.Add(name, content);
        var series = tags.IsEmpty ? instrument.Name : $"{instrument.Name}{{{string.Join(",", sorted.Values)}}}";
        lock (_gate)
        {
            if (!Attributes.TryGetValue(instrument.Name, out var seen))
                Attributes[instrument.Name] = seen = new(StringComparer.Ordinal);
            seen.UnionWith(sorted.Keys);
            _last[series] = value;
            if (instrument.IsObservable) _series[series] = value;
            else _series[series] = _series.GetValueOrDefault(series) + (instrument.GetType().Name.StartsWith("Histogram") ? 1 : value);
        }
    }

    private sealed class OwnedMeter(MeterOptions options) : Meter(options)
    {
        public void Release() => base.Dispose(disposing: true);

        [SuppressMessage("Usage", "CA2215", Justification = "It ends with the test.")]
        protected override void Dispose(bool disposing)
        {
        }
    }
}
