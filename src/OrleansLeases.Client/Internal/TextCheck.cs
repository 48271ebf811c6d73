using System.Text;

namespace OrleansLeases.Client.Internal;

/// <summary>
/// Refuses the texts that cannot be sent as they are: everything else is the server's to judge. A lone surrogate
/// would arrive as another name, and a dot segment at another address.
/// </summary>
internal sealed class TextCheck
{
    private const int MaxQueryBytes = 2_048;

    private readonly Dictionary<string, string[]> _errors = [];

    public Refusal? Refusal => _errors.Count == 0 ? null : new Refusal.InvalidRequest(
        _errors, string.Join(" ", _errors.Select(error => $"{error.Key} {string.Join("; ", error.Value)}.")));

    public TextCheck Field(string name, string? value)
    {
        if (value is not null && !IsWellFormed(value)) _errors[name] = ["is not valid Unicode text: it has half of a surrogate pair"];
        return this;
    }

    public TextCheck Field(string name, IReadOnlyDictionary<string, string>? entries)
    {
        foreach (var (key, value) in entries ?? new Dictionary<string, string>())
            Field(name, key).Field(name, value);
        return this;
    }

    public TextCheck Query(string name, string? value)
    {
        Field(name, value);
        if (value is not null && Encoding.UTF8.GetByteCount(value) > MaxQueryBytes)
        {
            _errors[name] = [$"has more than {MaxQueryBytes} bytes"];
        }

        return this;
    }

    public TextCheck Path(string name, string value)
    {
        Field(name, value);
        if (value.Length == 0 || Encoding.UTF8.GetByteCount(value) > Names.MaxBytes)
            _errors[name] = [$"takes 1 to {Names.MaxBytes} bytes of UTF-8"];
        else if (Names.BadSegmentOf(value) is not null)
            _errors[name] = [$"is '{value}', which has an empty, '.' or '..' segment; write a path such as jobs/nightly"];
        // In a path they are refused by the server's HTTP layer, whose answer names no field.
        else if (value.Any(char.IsControl))
            _errors[name] = ["has a control character; take it out"];
        return this;
    }

    private static bool IsWellFormed(string text)
    {
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var length) != System.Buffers.OperationStatus.Done) return false;
            rest = rest[length..];
        }

        return true;
    }
}
