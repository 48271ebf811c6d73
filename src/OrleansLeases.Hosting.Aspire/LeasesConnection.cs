namespace Aspire.Hosting.ApplicationModel;

/// <summary>What the clients of a server are told, in either form of it.</summary>
internal static class LeasesConnection
{
    public const string EndpointName = "http";

    public static ReferenceExpression StringOf(EndpointReference endpoint)
    {
        var url = endpoint.Property(EndpointProperty.Url);
        return TokenOf(endpoint) is { } token
            ? ReferenceExpression.Create($"Servers={url};Token={token}")
            : ReferenceExpression.Create($"{url}");
    }

    /// <summary>The same for applications that are not of .NET, as variables.</summary>
    public static IEnumerable<KeyValuePair<string, ReferenceExpression>> PropertiesOf(EndpointReference endpoint)
    {
        yield return new("Host", ReferenceExpression.Create($"{endpoint.Property(EndpointProperty.Host)}"));
        yield return new("Port", ReferenceExpression.Create($"{endpoint.Property(EndpointProperty.Port)}"));
        yield return new("Uri", ReferenceExpression.Create($"{endpoint.Property(EndpointProperty.Url)}"));
        if (TokenOf(endpoint) is { } token) yield return new("Token", ReferenceExpression.Create($"{token}"));
    }

    private static ParameterResource? TokenOf(EndpointReference endpoint) =>
        endpoint.Resource.TryGetLastAnnotation<LeasesTokenAnnotation>(out var annotation) ? annotation.Token : null;
}
