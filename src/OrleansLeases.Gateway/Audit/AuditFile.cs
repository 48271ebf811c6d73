using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Audit;

/// <summary>
/// Writes records into a file, behind the calls. Where the disk does not keep up with them, records are lost and the log says how many:
/// the leases go on. Thread-safe.
/// </summary>
internal sealed partial class AuditFile : IAsyncDisposable
{
    private const int MaxQueued = 16_384;
    private const int MaxBatchBytes = 64 * 1024;

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private readonly Channel<AuditRecord> _queue =
        Channel.CreateBounded<AuditRecord>(new BoundedChannelOptions(MaxQueued) { SingleReader = true });

    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly RotatingFile _file;
    private readonly Task _writing;
    private long _lost;
    private long? _toldAt;

    /// <exception cref="AuditFileException">The file cannot be used.</exception>
    public AuditFile(RotatingFile file, ILogger logger, TimeProvider time)
    {
        (_file, _logger, _time) = (file, logger, time);
        _writing = Task.Run(WriteAllAsync);
    }

    /// <summary>Takes a record, which is written soon.</summary>
    public void Add(AuditRecord record)
    {
        if (!_queue.Writer.TryWrite(record)) Interlocked.Increment(ref _lost);
    }

    /// <summary>Writes what was taken, within 5 s.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _stopping.CancelAsync();
        try
        {
            await _writing.WaitAsync(StopLimit, _time);
        }
        catch (TimeoutException)
        {
            LogLost(_logger, Interlocked.Read(ref _lost) + _queue.Reader.Count);
        }
    }

    private async Task WriteAllAsync()
    {
        using var file = _file;
        var lines = new ArrayBufferWriter<byte>(MaxBatchBytes);
        while (await _queue.Reader.WaitToReadAsync())
        {
            var count = 0;
            for (lines.ResetWrittenCount(); lines.WrittenCount < MaxBatchBytes && _queue.Reader.TryRead(out var record); count++)
                Append(record, lines);
            await WriteAsync(lines.WrittenMemory, count);
            TellOfLoss(TellEvery);
        }

        TellOfLoss(TimeSpan.Zero);
    }

    // Until it succeeds: meanwhile the queue keeps what comes, up to its bound.
    private async Task WriteAsync(ReadOnlyMemory<byte> lines, int count)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                _file.Append(lines.Span);
                return;
            }
            catch (Exception error)
            {
                if (isFirst) LogUnwritable(_logger, error.Message);
                if (_stopping.IsCancellationRequested)
                {
                    Interlocked.Add(ref _lost, count);
                    return;
                }
            }

            TellOfLoss(TellEvery);
            await Task.Delay(RetryPause, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void TellOfLoss(TimeSpan every)
    {
        if (Interlocked.Read(ref _lost) == 0 || (_toldAt is { } told && _time.GetElapsedTime(told) < every)) return;
        _toldAt = _time.GetTimestamp();
        LogLost(_logger, Interlocked.Exchange(ref _lost, 0));
    }

    private static void Append(AuditRecord record, ArrayBufferWriter<byte> lines)
    {
        using (var json = new Utf8JsonWriter(lines)) JsonSerializer.Serialize(json, record, AuditJson.Default.AuditRecord);
        lines.Write("\n"u8);
    }

    [LoggerMessage(1, LogLevel.Error, "The audit file cannot be written, which is tried again every second: {Problem}")]
    private static partial void LogUnwritable(ILogger logger, string problem);

    [LoggerMessage(2, LogLevel.Error, "{Count} records are missing from the audit file: the disk was full, failed or too slow.")]
    private static partial void LogLost(ILogger logger, long count);
}
