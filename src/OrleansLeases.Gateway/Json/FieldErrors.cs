namespace OrleansLeases.Gateway.Json;

/// <summary>What is wrong with a request, by field. Bounded, so that a bad request never makes a much bigger answer.</summary>
/// <param name="reported">How many errors of the same body are reported already; at least one more always is.</param>
internal struct FieldErrors(int reported)
{
    private const int MaxFields = 50;

    // The same may be wrong again and again.
    private const int MaxAdded = 4 * MaxFields;
    private const int MaxNameLength = 128;

    private Dictionary<string, string[]>? _byField;
    private int _added;

    /// <summary>How many were added.</summary>
    public readonly int Count => _added;

    /// <summary>Whether anything is wrong.</summary>
    public readonly bool Any => _byField is not null;

    /// <summary>Whether no more are taken down: enough is wrong, and what follows need not be looked at.</summary>
    public readonly bool IsFull => _byField?.Count >= Math.Max(1, MaxFields - reported) || _added >= Math.Max(1, MaxAdded - reported);

    /// <summary>Adds what is wrong with a field. Beyond the bound it is dropped: enough is wrong already.</summary>
    /// <param name="field">The field, as on the wire.</param>
    /// <param name="wrong">The rest of a sentence that the field begins: what it takes, and what it was.</param>
    public void Add(string field, string wrong)
    {
        if (IsFull) return;
        _added++;
        _byField ??= new(StringComparer.Ordinal);
        var name = Shorten(field);
        var message = $"{name} {wrong}.";
        if (_byField.TryGetValue(name, out var messages))
        {
            if (!messages.Contains(message)) _byField[name] = [.. messages, message];
        }
        else
        {
            _byField.Add(name, [message]);
        }
    }

    /// <summary>The refusal with all errors.</summary>
    /// <exception cref="InvalidOperationException">Nothing is wrong.</exception>
    public readonly Refusal.InvalidRequest ToRefusal()
    {
        var errors = _byField ?? throw new InvalidOperationException("Nothing is wrong.");
        return new Refusal.InvalidRequest(errors, string.Join(' ', errors.Values.SelectMany(messages => messages)));
    }

    /// <summary>Cuts what a caller sent to a length fit for a message.</summary>
    public static string Shorten(string text)
    {
        if (text.Length <= MaxNameLength) return text;
        var length = char.IsHighSurrogate(text[MaxNameLength - 1]) ? MaxNameLength - 1 : MaxNameLength;
        return string.Concat(text.AsSpan(0, length), "…");
    }
}
