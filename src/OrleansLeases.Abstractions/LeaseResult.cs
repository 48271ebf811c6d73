using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>Either what was asked for or a <see cref="OrleansLeases.Refusal"/>. Immutable.</summary>
/// <typeparam name="T">What was asked for.</typeparam>
[JsonConverter(typeof(LeaseResultConverterFactory))]
public readonly struct LeaseResult<T> : IEquatable<LeaseResult<T>>
    where T : class
{
    private readonly object? _content;

    private LeaseResult(object content) => _content = content;

    /// <summary>The refusal, or null where the request was fulfilled.</summary>
    public Refusal? Refusal => _content as Refusal;

    /// <summary>What was asked for.</summary>
    /// <exception cref="InvalidOperationException">The request was refused; the message says why.</exception>
    public T Value => _content as T ?? throw new InvalidOperationException(
        Refusal is { } refusal ? $"The request was refused ({refusal.Code}): {refusal.Detail}" : "There is no result.");

    /// <summary>Tells the two apart.</summary>
    /// <param name="value">What was asked for, where the answer is true.</param>
    /// <param name="refusal">The refusal, where the answer is false.</param>
    /// <returns>Whether the request was fulfilled.</returns>
    public bool TryGetValue([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Refusal? refusal)
    {
        value = _content as T;
        refusal = value is null ? Refusal ?? throw new InvalidOperationException("There is no result.") : null;
        return value is not null;
    }

    /// <summary>Wraps what was asked for.</summary>
    /// <param name="value">What was asked for.</param>
    [SuppressMessage("Usage", "CA2225", Justification = "The constructor for both cases is the conversion itself.")]
    public static implicit operator LeaseResult<T>(T value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value);
    }

    /// <summary>Wraps a refusal.</summary>
    /// <param name="refusal">The refusal.</param>
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
