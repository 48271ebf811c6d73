namespace Aspire.Hosting.ApplicationModel;

/// <summary>The credential that the clients of a server are given.</summary>
internal sealed record LeasesTokenAnnotation(ParameterResource Token) : IResourceAnnotation;
