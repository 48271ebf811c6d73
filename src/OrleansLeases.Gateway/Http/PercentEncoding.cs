using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace OrleansLeases.Gateway.Http;

/// <summary>Decodes a part of a URL exactly once and strictly; the framework's decoders let malformed escapes pass as they are.</summary>
internal static class PercentEncoding
{
    /// <param name="encoded">The part as it was sent.</param>
    /// <param name="plusIsSpace">Whether <c>+</c> stands for a space, as in a query.</param>
    /// <param name="text">The text.</param>
    /// <param name="problem">What is wrong with it.</param>
    public static bool TryDecode(
        ReadOnlySpan<char> encoded, bool plusIsSpace, [NotNullWhen(true)] out string? text, [NotNullWhen(false)] out string? problem)
    {
        (text, problem) = (null, null);
        if (!Ascii.IsValid(encoded))
        {
            problem = "has characters that are not percent-encoded UTF-8";
            return false;
        }

        if (!encoded.Contains('%') && !(plusIsSpace && encoded.Contains('+')))
        {
            text = encoded.ToString();
            return true;
        }

        var bytes = ArrayPool<byte>.Shared.Rent(encoded.Length);
        try
        {
            if (!TryDecode(encoded, plusIsSpace, bytes, out var length))
                problem = "has a '%' without two hexadecimal digits after it";
            else if (!Utf8.IsValid(bytes.AsSpan(0, length)))
                problem = "is not valid UTF-8 once its percent-encoding is undone";
            else
                text = Encoding.UTF8.GetString(bytes, 0, length);
            return text is not null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static bool TryDecode(ReadOnlySpan<char> encoded, bool plusIsSpace, Span<byte> bytes, out int length)
    {
        length = 0;
        for (var i = 0; i < encoded.Length; i++)
        {
            var value = (byte)encoded[i];
            if (value == '%')
            {
                if (encoded.Length - i < 3
                    || !byte.TryParse(encoded.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value))
                    return false;
                i += 2;
            }
            else if (plusIsSpace && value == '+')
            {
                value = (byte)' ';
            }

            bytes[length++] = value;
        }

        return true;
    }
}
