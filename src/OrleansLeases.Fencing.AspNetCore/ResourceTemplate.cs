using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace OrleansLeases.Fencing.AspNetCore;

/// <summary>The name of a resource with values of the route in it: <c>orders/{id}</c>.</summary>
internal sealed partial class ResourceTemplate
{
    private readonly string _text;

    /// <exception cref="ArgumentException">It is empty, or its braces do not match.</exception>
    public ResourceTemplate(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        if (Values().Replace(text, "").IndexOfAny(['{', '}']) >= 0)
            throw new ArgumentException(
                $"'{text}' is no resource's name with values of the route in it, such as 'orders/{{id}}'.", nameof(text));
        _text = text;
    }

    /// <summary>Makes sure that a route always has the values.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public void Check(RoutePattern route)
    {
        foreach (Match value in Values().Matches(_text))
        {
            var name = value.Groups[1].Value;
            if (route.GetParameter(name) is not { IsOptional: false, IsCatchAll: false })
                throw new InvalidOperationException(
                    $"The lease '{_text}' takes a value '{name}', which the route '{route.RawText}' does not always have. Name one of "
                        + $"its parameters, none that is optional or takes the rest.");
        }
    }

    public string Of(RouteValueDictionary route) => Values().Replace(_text, value => (string)route[value.Groups[1].Value]!);

    [GeneratedRegex(@"\{([^{}]+)\}")]
    private static partial Regex Values();
}
