using System.Text;

namespace OrleansLeases.Gateway.Json;

/// <summary>The fields that an object takes. Immutable; at most 32.</summary>
internal sealed class FieldNames
{
    /// <summary>Those of what takes no field at all.</summary>
    public static readonly FieldNames None = new(required: [], optional: []);

    private readonly string[] _names;
    private readonly byte[][] _utf8;

    public FieldNames(string[] required, string[] optional)
    {
        _names = [.. required, .. optional];
        _utf8 = [.. _names.Select(Encoding.UTF8.GetBytes)];
        RequiredCount = required.Length;
        Listed = _names.Length == 0 ? "none" : string.Join(", ", _names);
    }

    /// <summary>How many of the first fields are required.</summary>
    public int RequiredCount { get; }

    /// <summary>All of them, for a message.</summary>
    public string Listed { get; }

    public string this[int index] => _names[index];

    /// <summary>The place of a name, or -1.</summary>
    public int IndexOf(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < _utf8.Length; i++)
            if (name.SequenceEqual(_utf8[i])) return i;
        return -1;
    }

    /// <summary>The place of a name, or -1.</summary>
    public int IndexOf(string name) => Array.IndexOf(_names, name);
}
