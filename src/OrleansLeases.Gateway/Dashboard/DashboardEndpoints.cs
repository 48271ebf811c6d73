using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Gateway.Dashboard;

/// <summary>
/// The dashboard: a page without data, which calls <c>/v1</c> as every client does and shows what its reader may see. So it takes no
/// credential to load it.
/// </summary>
internal static class DashboardEndpoints
{
    private const string Root = "/";
    private const string Folder = "/dashboard/";

    // Nothing that a name or a value says can become code, and no other page can frame this one, or post what is typed into it.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        foreach (var file in DashboardFile.All)
        {
            var isPage = file.Name == DashboardFile.Page;
            var path = isPage ? Root : Folder + file.Name;
            var endpoint = endpoints.MapGet(path, context => GetAsync(context, file)).WithMetadata(OpenToAll.Instance);
            if (isPage) endpoint.WithMetadata(OpenToLinks.Instance);
            endpoints.MapOtherMethods(path, _ => "GET");
        }
    }

    private static async Task GetAsync(HttpContext context, DashboardFile file)
    {
        var response = context.Response;
        if (file.Name == DashboardFile.Page && LastSegmentOf(context.Request) is { Length: > 0 } last)
        {
            // What the page loads is beside it. Relative, since a proxy may have taken a prefix away.
            response.Redirect(last + "/", permanent: false, preserveMethod: true);
            return;
        }

        var headers = response.Headers;
        headers.CacheControl = "no-cache";
        headers.ETag = file.Tag;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (context.Request.Headers.IfNoneMatch == file.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = file.ContentType;
        response.ContentLength = file.Bytes.Length;
        await response.BodyWriter.WriteAsync(file.Bytes, context.RequestAborted);
    }

    private static string LastSegmentOf(HttpRequest request)
    {
        var path = (request.PathBase + request.Path).ToUriComponent();
        return path[(path.LastIndexOf('/') + 1)..];
    }
}
