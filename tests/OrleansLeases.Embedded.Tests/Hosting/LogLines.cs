using Microsoft.Extensions.Logging;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>What was logged, a line for each event. Thread-safe.</summary>
internal sealed class LogLines : ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Of(int id)
    {
        lock (_lines) return [.. _lines.Where(line => line.StartsWith($"{id} ", StringComparison.Ordinal))];
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add($"{eventId.Id} {logLevel} {formatter(state, exception)} {exception}");
    }
}
