using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The body of a break.</summary>
internal static class BreakBody
{
    private static readonly FieldNames Names = new(
        required: ["resource", "graceMs", "reason"], optional: ["token", "force", "requestId"]);

    public static BreakRequest? Read(ref FieldReader body)
    {
        string? resource = null, reason = null, requestId = null;
        TimeSpan? grace = null;
        long? token = null;
        bool? force = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) is { } name)
        {
            switch (name)
            {
                case "resource": resource = body.Text(name); break;
                case "graceMs": grace = body.Milliseconds(name); break;
                case "reason": reason = body.Text(name); break;
                case "token": token = body.Integer(name); break;
                case "force": force = body.Boolean(name); break;
                case "requestId": requestId = body.Text(name); break;
            }
        }

        requestId = body.OrIdempotencyKey(requestId);
        if (resource is null || grace is null || reason is null) return null;
        return new BreakRequest
        {
            Resource = resource,
            Token = token,
            Grace = grace.Value,
            Force = force ?? false,
            Reason = reason,
            RequestId = requestId,
        };
    }
}
