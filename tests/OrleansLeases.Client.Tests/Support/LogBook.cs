using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>What was logged, in order: the level and the message. Thread-safe.</summary>
internal sealed class LogBook : ILogger<LeaseClient>
{
    private readonly ConcurrentQueue<(LogLevel Level, string Message)> _lines = new();

    public IReadOnlyList<(LogLevel Level, string Message)> Lines => [.. _lines];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, formatter(state, exception)));
}

/// <summary>Has every category log into one book.</summary>
internal sealed class LogBooks(LogBook book) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => book;

    public void Dispose()
    {
    }
}
