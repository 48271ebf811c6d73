using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The body of a renew, and an item of a batch of them.</summary>
internal static class RenewBody
{
    private static readonly FieldNames Names = new(required: ["resource", "owner", "token"], optional: ["ttlMs"]);

    public static RenewRequest? Read(ref FieldReader body)
    {
        string? resource = null, owner = null;
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
                case "ttlMs": ttl = body.Milliseconds(name); break;
            }
        }

        if (resource is null || owner is null || token is null) return null;
        return new RenewRequest { Resource = resource, Owner = owner, Token = token.Value, Ttl = ttl };
    }
}
