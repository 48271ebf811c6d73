using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>Either a value or a <see cref="OrleansLeases.Refusal"/>. Immutable and thread-safe.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
[JsonConverter(typeof(LeaseResultConverterFactory))]
public readonly struct LeaseResult<T> : IEquatable<LeaseResult<T>>
    where T : class
{
    private readonly object? _content;

    private LeaseResult(object content) => _content = content;

    /// <summary>The refusal, or null where the request was fulfilled.</summary>
    public Refusal? Refusal => _content as Refusal;

    /// <summary>The value of a fulfilled request.</summary>
    /// <exception cref="InvalidOperationException">The request was refused; the message has the code and the detail.</exception>
    public T Value => _content as T ?? throw new InvalidOperationException(
        Refusal is { } refusal ? $"The request was refused ({refusal.Code}): {refusal.Detail}" : "There is no result.");

    /// <summary>Gets the value or the refusal. Does not throw for a refusal.</summary>
    /// <param name="value">The value, where the method returns true.</param>
    /// <param name="refusal">The refusal, where the method returns false.</param>
    /// <returns>Whether the request was fulfilled.</returns>
    /// <exception cref="InvalidOperationException">This is the default of the struct, which has neither.</exception>
    public bool TryGetValue([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Refusal? refusal)
    {
        value = _content as T;
        refusal = value is null ? Refusal ?? throw new InvalidOperationException("There is no result.") : null;
        return value is not null;
    }

    /// <summary>Wraps a value.</summary>
    /// <param name="value">The value; not null.</param>
    [SuppressMessage("Usage", "CA2225", Justification = "The constructor for both cases is the conversion itself.")]
    public static implicit operator LeaseResult<T>(T value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value);
    }

    /// <summary>Wraps a refusal.</summary>
    /// <param name="refusal">The refusal; not null.</param>
    [SuppressMessage("Usage", "CA2225", Justification = "The constructor for both cases is the conversion itself.")]
    public static implicit operator LeaseResult<T>(Refusal refusal)
    {
        ArgumentNullException.ThrowIfNull(refusal);
        return new(refusal);
    }

    /// <summary>Compares the contents.</summary>
    /// <param name="other">The other result.</param>
    /// <returns>Whether both hold equal contents.</returns>
    public bool Equals(LeaseResult<T> other) => Equals(_content, other._content);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is LeaseResult<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _content?.GetHashCode() ?? 0;

    /// <summary>Compares the contents.</summary>
    /// <param name="left">One result.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether both hold equal contents.</returns>
    public static bool operator ==(LeaseResult<T> left, LeaseResult<T> right) => left.Equals(right);

    /// <summary>Compares the contents.</summary>
    /// <param name="left">One result.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether the contents differ.</returns>
    public static bool operator !=(LeaseResult<T> left, LeaseResult<T> right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => _content?.ToString() ?? "(no result)";
}
