using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace OrleansLeases.Gateway.OpenApi;

/// <summary>
/// A page that shows the OpenAPI document and calls what is in it. An executable may have one, by a library that the gateway does not
/// bring.
/// </summary>
internal interface IApiPage
{
    /// <summary>Maps it and the files that it loads. They take no credential, as the document takes none.</summary>
    IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints);
}
