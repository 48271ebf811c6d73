using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Audit;

/// <summary>Where the records of all callers go: to a log category of their own, and to a file where there is one. Thread-safe.</summary>
internal sealed partial class AuditLog : IAsyncDisposable, IDisposable
{
    /// <summary>The category of its log.</summary>
    public const string Category = "OrleansLeases.Audit";

    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly RefusalBudget _refusals;
    private readonly RefusalBursts _bursts;
    private readonly AuditFile? _file;
    private readonly Action<AuditRecord> _write;

    /// <param name="loggers">The loggers of the host.</param>
    /// <param name="time">The clock of what the gateway itself refuses.</param>
    /// <param name="file">The file; null for none.</param>
    public AuditLog(ILoggerFactory loggers, TimeProvider time, RotatingFile? file = null)
    {
        (_logger, _time, _write, _refusals) = (loggers.CreateLogger(Category), time, Write, new(time));
        _bursts = new(time);
        if (file is not null) _file = new AuditFile(file, loggers.CreateLogger<AuditFile>(), TimeProvider.System);
    }

    /// <summary>A caller whose records come here, with the address of its connection.</summary>
    public LeaseCaller Follow(LeaseCaller caller, IPAddress? address) =>
        caller.Followed(caller.Address ?? Show(address), caller.Audit + _write);

    /// <summary>Records that a call was refused before anybody knew who makes it.</summary>
    public void Refused(HttpContext context, Refusal refusal) => Write(new AuditRecord
    {
        At = _time.GetUtcNow(),
        Address = Show(context.Connection.RemoteIpAddress),
        Verb = AuditVerbs.Of(context),
        Outcome = RefusalConverter.WordOf(refusal.Code),
    });

    /// <summary>Records what the gateway itself did for a caller, or refused it; nothing where no calls are recorded.</summary>
    public static void Told(HttpContext context, string? name, Refusal? refusal, string? owner = null)
    {
        if (context.Features.Get<LeaseCaller>() is not { Audit: { } audit } caller) return;
        audit(new AuditRecord
        {
            At = (context.RequestServices.GetService<TimeProvider>() ?? TimeProvider.System).GetUtcNow(),
            Principal = caller.Principal,
            Address = caller.Address,
            Verb = AuditVerbs.Of(context),
            Name = name,
            Owner = owner,
            Outcome = refusal is null ? "ok" : RefusalConverter.WordOf(refusal.Code),
        });
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private void Write(AuditRecord record)
    {
        var isBurst = record.Outcome is "unauthorized" or "forbidden" or "limit-reached" && _bursts.Note();
        if (isBurst) Quietly(record, static (log, last) => LogBurst(
            log._logger, RefusalBursts.Burst, Shown(last.Principal), last.Address, last.Outcome));
        if (record.Outcome is not ("ok" or "cancelled" or "outcome-unknown"))
        {
            if (!_refusals.TryTake(record.Principal, out var omitted)) return;
            if (omitted > 0) record = record with { Omitted = omitted };
        }

        _file?.Add(record);
        if (_logger.IsEnabled(LogLevel.Information)) Quietly(record, static (log, told) => log.LogWithOmitted(told));
    }

    private void LogWithOmitted(AuditRecord record)
    {
        LogRecord(
            _logger, record.Verb, Shown(record.Name), Shown(record.Owner), record.Token, Shown(record.Principal), record.Address,
            record.Outcome, Shown(record.RequestId), record.At);
        if (record.Omitted is { } many) LogOmitted(_logger, many, Shown(record.Principal));
    }

    // Whatever a logger of the host's throws, the call that is recorded has been carried out.
    private void Quietly(AuditRecord record, Action<AuditLog, AuditRecord> write)
    {
        try
        {
            write(this, record);
        }
        catch (Exception)
        {
            // Nobody is left to tell.
        }
    }

    // What others chose must not steer a terminal, nor begin a line of its own.
    private static string? Shown(string? text) => text is null ? null : VisibleText.Show(text);

    private static string? Show(IPAddress? address) =>
        address is null ? null : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    [LoggerMessage(
        1, LogLevel.Information,
        "{Verb} of '{Name}' for the owner '{Owner}' with token {Token} by '{Principal}' from {Address}: {Outcome}; request id "
            + "'{RequestId}', at {At:O}",
        EventName = "Audit")]
    private static partial void LogRecord(
        ILogger logger, string verb, string? name, string? owner, long? token, string? principal, string? address, string outcome,
        string? requestId, DateTimeOffset at);

    [LoggerMessage(
        2, LogLevel.Information, "{Omitted} refusals of '{Principal}' before the last one were not recorded: they came too fast.",
        EventName = "Omitted")]
    private static partial void LogOmitted(ILogger logger, long omitted, string? principal);

    [LoggerMessage(
        3, LogLevel.Warning,
        "{Count} calls were refused within a minute for their credential, rights or quotas, the last one of '{Principal}' from {Address} "
            + "({Outcome}).",
        EventName = "RefusalBurst")]
    private static partial void LogBurst(ILogger logger, int count, string? principal, string? address, string outcome);
}
