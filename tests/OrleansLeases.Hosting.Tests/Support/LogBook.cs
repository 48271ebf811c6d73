using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Hosting.Tests.Support;

/// <summary>What a host logs about its leased work: the number of each event. Thread-safe.</summary>
internal sealed class LogBook : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(int Event, LogLevel Level, string Message)> _lines = new();

    public IReadOnlyList<(int Event, LogLevel Level, string Message)> Lines => [.. _lines];

    public bool Has(int number) => _lines.Any(line => line.Event == number);

    public ILogger CreateLogger(string categoryName) =>
        categoryName == LeasedWork.LogCategory || categoryName == typeof(LeasedWorks).FullName ? this
            : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((eventId.Id, logLevel, formatter(state, exception)));

    public void Dispose()
    {
    }
}
