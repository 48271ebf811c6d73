using System.Diagnostics.Metrics;
using System.Reflection;

namespace OrleansLeases;

/// <summary>Makes the meters of these libraries.</summary>
internal static class LeaseMeter
{
    /// <summary>The meter of the service, whichever of its parts counts.</summary>
    public const string Service = "OrleansLeases";

    /// <summary>Makes a meter.</summary>
    /// <param name="factory">The host's; null for a meter of its own, which ends with whoever has made it.</param>
    /// <param name="name">Its name.</param>
    public static Meter Create(IMeterFactory? factory, string name = Service)
    {
        var options = new MeterOptions(name)
        {
            Version = typeof(LeaseMeter).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?
                .InformationalVersion.Split('+')[0],
        };
        return factory is null ? new Meter(options) : factory.Create(options);
    }

    /// <summary>A duration in seconds, with buckets that a collector may take as advice: its own suit milliseconds.</summary>
    public static Histogram<double> CreateDuration(this Meter meter, string name, string description, params double[] bounds) =>
        meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    /// <summary>A number of things, whose buckets are powers of four.</summary>
    public static Histogram<int> CreateSize(this Meter meter, string name, string unit, string description) => meter.CreateHistogram(
        name, unit, description, tags: null, new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024] });

    /// <summary>Counts. A listener is called here, within the request that is counted: where it throws, the request goes on.</summary>
    public static void Count<T>(this Counter<T> counter, T more, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
        where T : struct
    {
        try
        {
            counter.Add(more, tags);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
        }
    }

    /// <inheritdoc cref="Count{T}(Counter{T}, T, ReadOnlySpan{KeyValuePair{string, object}})"/>
    public static void Count<T>(this UpDownCounter<T> counter, T more, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
        where T : struct
    {
        try
        {
            counter.Add(more, tags);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
        }
    }

    /// <inheritdoc cref="Count{T}(Counter{T}, T, ReadOnlySpan{KeyValuePair{string, object}})"/>
    public static void Note<T>(this Histogram<T> histogram, T value, params ReadOnlySpan<KeyValuePair<string, object?>> tags)
        where T : struct
    {
        try
        {
            histogram.Record(value, tags);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
        }
    }
}
