using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The body of a transfer.</summary>
internal static class TransferBody
{
    private static readonly FieldNames Names = new(
        required: ["resource", "owner", "token", "newOwner"], optional: ["ttlMs", "requestId"]);

    public static TransferRequest? Read(ref FieldReader body)
    {
        string? resource = null, owner = null, newOwner = null, requestId = null;
        long? token = null;
        TimeSpan? ttl = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) is { } name)
        {
            switch (name)
            {
                case "resource": resource = body.Text(name); break;
                case "owner": owner = body.Text(name); break;
                case "token": token = body.Integer(name); break;
                case "newOwner": newOwner = body.Text(name); break;
                case "ttlMs": ttl = body.Milliseconds(name); break;
                case "requestId": requestId = body.Text(name); break;
            }
        }

        requestId = body.OrIdempotencyKey(requestId);
        if (resource is null || owner is null || token is null || newOwner is null) return null;
        return new TransferRequest
        {
            Resource = resource,
            Owner = owner,
            Token = token.Value,
            NewOwner = newOwner,
            Ttl = ttl,
            RequestId = requestId,
        };
    }
}
