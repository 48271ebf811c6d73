using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Grains;

/// <content>Records that a listing cannot read: a newer version wrote them, or they are damaged.</content>
internal sealed partial class PostgresLeaseStorage
{
    private const int NamedAtMost = 1000;

    private readonly ConcurrentDictionary<(string Kind, string Name), bool> _named = new();

    // All others are listed, and this one is named once; whoever asks for it is told why it cannot be had.
    private bool TryDecode<T>(string kind, string name, string payload, Func<ReadOnlySpan<byte>, T> decode, [MaybeNullWhen(false)] out T state)
    {
        try
        {
            state = decode(Encoding.UTF8.GetBytes(payload));
            return true;
        }
        catch (InvalidDataException error)
        {
            if (_named.Count < NamedAtMost && _named.TryAdd((kind, name), true)) LogUnreadable(_logger, VisibleText.Show(name), error.Message);
            state = default;
            return false;
        }
    }

    [LoggerMessage(7403, LogLevel.Error, "The record of '{Name}' is left out of listings, since it cannot be read. {Reason}")]
    private static partial void LogUnreadable(ILogger logger, string name, string reason);
}
