namespace OrleansLeases.Bench.Measuring;

// Durations, in milliseconds, kept one by one.
internal sealed class Samples
{
    private readonly List<float> _values = [];
    private bool _sorted = true;

    public int Count => _values.Count;

    public double Median => Percentile(0.5);

    public void Add(TimeSpan duration)
    {
        _values.Add((float)duration.TotalMilliseconds);
        _sorted = false;
    }

    public void Add(Samples other)
    {
        _values.AddRange(other._values);
        _sorted = false;
    }

    public void Clear() => _values.Clear();

    public double Percentile(double share)
    {
        if (_values.Count == 0)
            return double.NaN;
        if (!_sorted)
            _values.Sort();
        _sorted = true;
        return _values[Math.Clamp((int)Math.Ceiling(share * _values.Count) - 1, 0, _values.Count - 1)];
    }

    public static double MedianOf(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN
            : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2]
            : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
