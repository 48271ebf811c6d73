using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Service;

/// <summary>Where the calls about the service itself are, and what they answer.</summary>
internal static class ServiceEndpoints
{
    private const string Tag = "Service";

    public static void MapInfo(IEndpointRouteBuilder endpoints, ServiceReads reads) =>
        MapGet(endpoints, "/v1/info", reads.InfoAsync, new OperationMetadata("getInfo")
        {
            Tag = Tag,
            Summary = "Tells what this service is and what it promises.",
            Reply = typeof(ServiceInfo),
            Refusals = [RefusalCode.Unavailable],
        });

    public static void MapMembers(IEndpointRouteBuilder endpoints, ServiceReads reads) =>
        MapGet(endpoints, "/v1/members", reads.MembersAsync, new OperationMetadata("listMembers")
        {
            Tag = Tag,
            Summary = "Asks each process of the service how it is: its health, how far its clock is off, how much it has. "
                + "Takes the right 'admin'.",
            Reply = typeof(MemberList),
            Refusals = [RefusalCode.Unavailable],
        });

    public static void MapHealth(IEndpointRouteBuilder endpoints, ServiceReads reads)
    {
        // Whoever looks after the process has no credential of the service.
        MapGet(endpoints, "/health/live", reads.LiveAsync, new OperationMetadata("isLive")
        {
            Tag = Tag,
            IsOpen = true,
            Summary = "The process answers, and has not run out of memory.",
            Reply = typeof(Health),
            Refusals = [RefusalCode.Unavailable],
        });
        MapGet(endpoints, "/health/ready", reads.ReadyAsync, new OperationMetadata("isReady")
        {
            Tag = Tag,
            IsOpen = true,
            Summary = "The service takes calls: it is neither starting nor shutting down, and its store is well. "
                + "Otherwise the detail says what is wrong.",
            Reply = typeof(Health),
            Refusals = [RefusalCode.Unavailable],
        });
    }

    private static void MapGet(IEndpointRouteBuilder endpoints, string path, RequestDelegate handler, OperationMetadata operation)
    {
        var endpoint = endpoints.MapGet(path, handler);
        endpoint.WithOperation(handler, operation);
        if (operation.IsOpen) endpoint.WithMetadata(OpenToAll.Instance);
        endpoints.MapOtherMethods(path, _ => "GET");
    }
}
