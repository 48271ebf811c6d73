using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>Keeps what the gateway logs.</summary>
internal sealed class LogRecords : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, int Id)> _records = new();

    private readonly ConcurrentQueue<string> _errors = new();

    private readonly ConcurrentQueue<(string Category, string Text)> _byCategory = new();

    public IEnumerable<(LogLevel Level, int Id)> OfGateway => _records;

    /// <summary>All that anybody logged, as it is read.</summary>
    public ConcurrentQueue<string> Texts { get; } = new();

    /// <summary>What anybody logged as an error.</summary>
    public IEnumerable<string> Errors => _errors;

    /// <summary>What was logged under a category, in order.</summary>
    public IReadOnlyList<string> Of(string category) =>
        [.. _byCategory.Where(record => record.Category == category).Select(record => record.Text)];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(LogRecords log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            log._byCategory.Enqueue((category, formatter(state, exception)));
            log.Texts.Enqueue($"{formatter(state, exception)} {exception}");
            if (logLevel >= LogLevel.Error) log._errors.Enqueue($"{formatter(state, exception)} {exception}");
            if (category.StartsWith("OrleansLeases.", StringComparison.Ordinal)) log._records.Enqueue((logLevel, eventId.Id));
        }
    }
}
