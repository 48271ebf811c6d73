using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Logging;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <content>Records that a listing cannot read: a newer version wrote them, or they are damaged.</content>
internal sealed partial class PostgresRecordStore
{
    private const int NamedAtMost = 1000;

    private readonly ConcurrentDictionary<(RecordKind Kind, string Name), bool> _named = new();

    // All others are listed, and this one is named once; a caller that asks for it hears why it cannot be had.
    private bool TryRead(RecordKind kind, string name, string payload, [MaybeNullWhen(false)] out StoredRecord record)
    {
        try
        {
            record = StoredRecord.Read(kind, name, Encoding.UTF8.GetBytes(payload));
            return true;
        }
        catch (InvalidDataException error)
        {
            if (_named.Count < NamedAtMost && _named.TryAdd((kind, name), true))
            {
                LogUnreadable(_logger, VisibleText.Show(name), error.Message);
            }

            record = null;
            return false;
        }
    }

    [LoggerMessage(7403, LogLevel.Error, "The record of '{Name}' is left out of listings, since it cannot be read. {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string name, string reason);
}
