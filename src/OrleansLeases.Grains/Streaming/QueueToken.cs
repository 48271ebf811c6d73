using System.Globalization;

namespace OrleansLeases.Grains;

/// <summary>
/// What names a lease beside its resource, in the one string that Orleans has for it: the fencing token, <c>@</c>, the owner.
/// </summary>
/// <param name="Number">The fencing token.</param>
/// <param name="Owner">The owner.</param>
internal sealed record QueueToken(long Number, string Owner)
{
    private const char Separator = '@';

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <param name="text">The string; null where a lease was not granted.</param>
    /// <returns>The token; null where it is none.</returns>
    public static QueueToken? Parse(string? text) =>
        text?.IndexOf(Separator, StringComparison.Ordinal) is { } end and > 0
            && long.TryParse(text.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(number, text[(end + 1)..])
            : null;

    public RenewRequest Renew(string resource) => new() { Resource = resource, Owner = Owner, Token = Number };

    public ReleaseRequest Release(string resource) => new() { Resource = resource, Owner = Owner, Token = Number };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}{Separator}{Owner}");
}
