using System.Text;
using System.Text.Json;

namespace OrleansLeases.Gateway.Json;

/// <summary>
/// Reads a JSON body field by field and collects everything that is wrong with it. Only the shape and the types are
/// its business; the bounds of values are the service's.
/// </summary>
/// <exception cref="JsonException">Any member: the text is not JSON. The exception says where.</exception>
internal ref struct FieldReader
{
    /// <summary>Reads the object that the reader has stepped into, to its end.</summary>
    /// <returns>What it says; null where something is wrong with it.</returns>
    public delegate T? ItemReader<T>(ref FieldReader item)
        where T : class;

    /// <summary>The field that stands for the body as a whole in an error.</summary>
    public const string Body = "body";

    /// <summary>The field of a request's id.</summary>
    public const string RequestId = "requestId";

    /// <summary>What is wrong with a field that is missing.</summary>
    public const string IsRequired = "is required";

    private const long MaxMilliseconds = long.MaxValue / TimeSpan.TicksPerMillisecond;

    // The reader keeps one bit for each level and does not recurse, so a body of brackets is skipped like any other
    // value of the wrong type, and its field is named.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = int.MaxValue };

    private readonly string? _idempotencyKey;
    private Utf8JsonReader _json;
    private FieldErrors _errors;
    private string? _list;
    private int _item;
    private string? _object;

    /// <param name="json">The whole body.</param>
    /// <param name="idempotencyKey">The request id that the header gave.</param>
    /// <param name="errors">What is wrong already.</param>
    public FieldReader(ReadOnlySpan<byte> json, string? idempotencyKey, FieldErrors errors)
    {
        _json = new Utf8JsonReader(json, Options);
        _idempotencyKey = idempotencyKey;
        _errors = errors;
    }

    /// <summary>Everything found wrong so far.</summary>
    public readonly FieldErrors Errors => _errors;

    /// <summary>Steps to the object that the body must be.</summary>
    /// <returns>False where it is something else.</returns>
    public bool Start()
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.StartObject) return true;
        RefuseKind(Body, "a JSON object");
        return false;
    }

    /// <summary>Makes sure that nothing follows the body's value.</summary>
    public void End() => _json.Read();

    /// <summary>
    /// Steps to the value of the next field, past unknown and repeated ones and those that are optional and null, which is how
    /// some clients leave a field out; at the object's end asks for the missing ones.
    /// </summary>
    /// <param name="names">The fields of this object.</param>
    /// <param name="seen">Those seen so far, a bit for each.</param>
    /// <returns>The field's place among the names, or -1 at the end of the object.</returns>
    public int Next(FieldNames names, ref uint seen)
    {
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            // The rest of a body that is wrong in so many ways is passed over: a megabyte has room for a million errors.
            if (_errors.IsFull)
            {
                _json.Skip();
                continue;
            }

            var index = FindName(names);
            var bit = index < 0 ? 0 : 1u << index;
            if (bit != 0 && (seen & bit) == 0)
            {
                seen |= bit;
                _json.Read();
                if (_json.TokenType == JsonTokenType.Null && index >= names.RequiredCount) continue;
                return index;
            }

            if (bit != 0) Refuse(names[index], "is given more than once");
            _json.Skip();
        }

        for (var i = 0; i < names.RequiredCount && !_errors.IsFull; i++)
            if ((seen & (1u << i)) == 0) Refuse(names[i], IsRequired);
        return -1;
    }

    /// <summary>Reads a string.</summary>
    public string? Text(string name)
    {
        if (_json.TokenType != JsonTokenType.String)
            RefuseKind(name, "a string");
        else if (JsonText.TryGet(in _json, out var text))
            return text;
        else
            Refuse(name, "is not valid UTF-8 or has half a surrogate pair");
        return null;
    }

    /// <summary>Reads a whole number.</summary>
    public long? Integer(string name) => WholeNumber(name, "an integer", long.MinValue, long.MaxValue);

    /// <summary>Reads a whole number that counts something.</summary>
    public int? Count(string name) => (int?)WholeNumber(name, "an integer", int.MinValue, int.MaxValue);

    /// <summary>Reads a duration in milliseconds.</summary>
    public TimeSpan? Milliseconds(string name) =>
        WholeNumber(name, "an integer of milliseconds", -MaxMilliseconds, MaxMilliseconds) is { } value
            ? TimeSpan.FromTicks(value * TimeSpan.TicksPerMillisecond)
            : null;

    /// <summary>Reads true or false.</summary>
    public bool? Boolean(string name)
    {
        if (_json.TokenType is JsonTokenType.True or JsonTokenType.False) return _json.GetBoolean();
        RefuseKind(name, "true or false");
        return null;
    }

    /// <summary>Reads a word of an enumeration.</summary>
    public T? Word<T>(string name)
        where T : struct, Enum
    {
        if (_json.TokenType != JsonTokenType.String)
            RefuseKind(name, $"one of {KebabEnum<T>.Listed}");
        else if (JsonText.TryGet(in _json, out var text) && KebabEnum<T>.TryParse(text, out var value))
            return value;
        else
            Refuse(name, $"takes one of {KebabEnum<T>.Listed}");
        return null;
    }

    /// <summary>Reads an object whose values are strings.</summary>
    public Dictionary<string, string>? Texts(string name)
    {
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            RefuseKind(name, "an object of strings");
            return null;
        }

        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            if (_errors.IsFull)
            {
                _json.Skip();
                continue;
            }

            if (!JsonText.TryGet(in _json, out var entry))
            {
                Refuse(name, "has a name that is not valid UTF-8 or has half a surrogate pair");
                _json.Skip();
                continue;
            }

            _json.Read();
            var path = $"{name}.{entry}";
            if (Text(path) is { } text && !texts.TryAdd(entry, text)) Refuse(path, "is given more than once");
        }

        return texts;
    }

    /// <summary>Reads an object of a contract; what is wrong inside is named with its name.</summary>
    public T? Object<T>(string name, ObjectReader<T> reader)
        where T : class
    {
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            RefuseKind(name, "an object");
            return null;
        }

        _object = name;
        var value = reader.Read(ref this);
        _object = null;
        return value;
    }

    /// <summary>Reads a list of objects of a contract; an error inside is named with its index in the list.</summary>
    public List<T>? List<T>(string name, ObjectReader<T> reader)
        where T : class
    {
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            RefuseKind(name, "an array of objects");
            return null;
        }

        List<T> items = [];
        for ((_list, _item) = (name, 0); _json.Read() && _json.TokenType != JsonTokenType.EndArray; _item++)
        {
            if (_errors.IsFull) _json.Skip();
            else if (_json.TokenType == JsonTokenType.StartObject) items.Add(reader.Read(ref this));
            else RefuseKind("", "an object");
        }

        _list = null;
        return items;
    }

    /// <summary>Reads a list of objects each of which stands for itself, with whatever is wrong inside it.</summary>
    /// <param name="name">The list.</param>
    /// <param name="most">How many there may be; nothing is kept of those beyond.</param>
    /// <param name="read">Reads the object that the reader has stepped into.</param>
    public List<(T? Value, Refusal? Wrong)>? Each<T>(string name, int most, ItemReader<T> read)
        where T : class
    {
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            RefuseKind(name, "an array of objects");
            return null;
        }

        List<(T? Value, Refusal? Wrong)> items = [];
        var (whole, count, reported) = (_errors, 0, 0);
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (++count > most)
            {
                _json.Skip();
                continue;
            }

            // All of them together report little more than one body does.
            _errors = new FieldErrors(reported);
            T? item = null;
            if (_json.TokenType == JsonTokenType.StartObject) item = read(ref this);
            else RefuseKind(Body, "a JSON object");
            items.Add(_errors.Any ? (null, _errors.ToRefusal()) : (item, null));
            reported += _errors.Count;
        }

        _errors = whole;
        if (count < 1 || count > most) Refuse(name, $"has {count} entries; it takes 1 to {most}. Send several batches");
        return items;
    }

    /// <summary>Looks ahead for a field of the object that the reader has stepped into, and leaves it to be read.</summary>
    /// <returns>Its text; null where it is missing or no text.</returns>
    public readonly string? Foresee(string name)
    {
        var ahead = _json;
        while (ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName)
        {
            var found = JsonText.TryGet(in ahead, out var field) && field == name;
            ahead.Read();
            if (found) return ahead.TokenType == JsonTokenType.String && JsonText.TryGet(in ahead, out var text) ? text : null;
            ahead.Skip();
        }

        return null;
    }

    /// <summary>Passes over the object that the reader has stepped into: one of its fields says that nothing here can read it.</summary>
    /// <param name="name">The field.</param>
    /// <param name="wrong">What is wrong with it.</param>
    public void RefuseObject(string name, string wrong)
    {
        Refuse(name, wrong);
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName) _json.Skip();
    }

    /// <summary>The one request id out of the body's field and the header.</summary>
    public string? OrIdempotencyKey(string? requestId)
    {
        if (requestId is not null && _idempotencyKey is not null && requestId != _idempotencyKey)
            Refuse(RequestId, "differs from the header Idempotency-Key; give one of them, or the same in both");
        return requestId ?? _idempotencyKey;
    }

    private long? WholeNumber(string name, string kind, long least, long most)
    {
        if (_json.TokenType != JsonTokenType.Number)
            RefuseKind(name, kind);
        else if (_json.TryGetInt64(out var value) && value >= least && value <= most)
            return value;
        else
            Refuse(name, $"takes {kind} from {least} to {most}, without fraction or exponent; was {Shorten(_json.ValueSpan)}");
        return null;
    }

    private int FindName(FieldNames names)
    {
        string? name = null;
        if (!_json.ValueIsEscaped)
        {
            var index = names.IndexOf(_json.ValueSpan);
            if (index >= 0) return index;
        }
        else if (JsonText.TryGet(in _json, out name))
        {
            var index = names.IndexOf(name);
            if (index >= 0) return index;
        }

        if (name is null && !JsonText.TryGet(in _json, out name))
            Refuse(Place is null ? Body : "", "has a field whose name is not valid UTF-8 or has half a surrogate pair");
        else
            Refuse(name, $"is no field of this; it takes {names.Listed}");
        return -1;
    }

    private void RefuseKind(string name, string kind)
    {
        Refuse(name, $"takes {kind}, was {Describe(_json.TokenType)}");
        _json.Skip();
    }

    private readonly string? Place => _object ?? (_list is null ? null : $"{_list}[{_item}]");

    private void Refuse(string name, string message) => _errors.Add(
        Place is not { } place ? name : name.Length == 0 ? place : $"{place}.{name}", message);

    private static string Shorten(ReadOnlySpan<byte> number) => FieldErrors.Shorten(Encoding.ASCII.GetString(number));

    private static string Describe(JsonTokenType token) => token switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        _ => "null",
    };
}
