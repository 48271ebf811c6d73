namespace Aspire.Hosting.ApplicationModel;

/// <summary>A lease server of an app host, as a container: <c>leases serve</c> on a folder of its own.</summary>
/// <remarks>
/// Its connection string is an address, or <c>Servers=…;Token=…</c> where it has a credential for its clients. <c>AddLeasesClient</c>
/// reads both.
/// </remarks>
public sealed class LeasesContainerResource : ContainerResource, IResourceWithConnectionString
{
    /// <summary>Makes a resource; <c>AddLeasesContainer</c> also adds it to an app host.</summary>
    /// <param name="name">Its name.</param>
    public LeasesContainerResource(string name)
        : base(name) => PrimaryEndpoint = new(this, LeasesConnection.EndpointName);

    /// <summary>Its HTTP endpoint, called <c>http</c>.</summary>
    public EndpointReference PrimaryEndpoint { get; }

    /// <inheritdoc />
    public ReferenceExpression ConnectionStringExpression => LeasesConnection.StringOf(PrimaryEndpoint);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
        LeasesConnection.PropertiesOf(PrimaryEndpoint);
}
