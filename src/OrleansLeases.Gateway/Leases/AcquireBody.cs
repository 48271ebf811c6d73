using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The body of an acquire.</summary>
internal static class AcquireBody
{
    private static readonly FieldNames Names = new(
        required: ["resource", "owner", "ttlMs"],
        optional: ["mode", "capacity", "waitMs", "lockDelayMs", "metadata", "requestId"]);

    public static AcquireRequest? Read(ref FieldReader body)
    {
        string? resource = null, owner = null, requestId = null;
        TimeSpan? ttl = null, wait = null, lockDelay = null;
        LeaseMode? mode = null;
        int? capacity = null;
        Dictionary<string, string>? metadata = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) is { } name)
        {
            switch (name)
            {
                case "resource": resource = body.Text(name); break;
                case "owner": owner = body.Text(name); break;
                case "ttlMs": ttl = body.Milliseconds(name); break;
                case "mode": mode = body.Word<LeaseMode>(name); break;
                case "capacity": capacity = body.Count(name); break;
                case "waitMs": wait = body.Milliseconds(name); break;
                case "lockDelayMs": lockDelay = body.Milliseconds(name); break;
                case "metadata": metadata = body.Texts(name); break;
                case "requestId": requestId = body.Text(name); break;
            }
        }

        requestId = body.OrIdempotencyKey(requestId);
        if (resource is null || owner is null || ttl is null) return null;
        return new AcquireRequest
        {
            Resource = resource,
            Owner = owner,
            Ttl = ttl.Value,
            Mode = mode ?? LeaseMode.Exclusive,
            Capacity = capacity,
            Wait = wait ?? TimeSpan.Zero,
            LockDelay = lockDelay ?? TimeSpan.Zero,
            Metadata = metadata,
            RequestId = requestId,
        };
    }
}
