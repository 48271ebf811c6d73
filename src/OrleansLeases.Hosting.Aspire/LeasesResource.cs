namespace Aspire.Hosting.ApplicationModel;

/// <summary>A lease server of an app host, as a process: <c>leases serve</c>.</summary>
/// <remarks>
/// Its connection string is an address, or <c>Servers=…;Token=…</c> where it has a credential for its clients. <c>AddLeasesClient</c>
/// reads both.
/// </remarks>
public sealed class LeasesResource : ExecutableResource, IResourceWithConnectionString
{
    /// <summary>Makes a resource; <c>AddLeases</c> also adds it to an app host.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="workingDirectory">The folder it runs in.</param>
    public LeasesResource(string name, string workingDirectory)
        : base(name, "leases", workingDirectory) => PrimaryEndpoint = new(this, LeasesConnection.EndpointName);

    /// <summary>Its HTTP endpoint, called <c>http</c>.</summary>
    public EndpointReference PrimaryEndpoint { get; }

    /// <summary>The folder that it keeps leases in.</summary>
    /// <value>Null, the default, where it keeps them in memory, and nothing survives a restart.</value>
    public string? DataFolder { get; internal set; }

    /// <inheritdoc />
    public ReferenceExpression ConnectionStringExpression => LeasesConnection.StringOf(PrimaryEndpoint);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
        LeasesConnection.PropertiesOf(PrimaryEndpoint);
}
