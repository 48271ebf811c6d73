using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The body of a release.</summary>
internal static class ReleaseBody
{
    private static readonly FieldNames Names = new(required: ["resource", "owner", "token"], optional: []);

    public static ReleaseRequest? Read(ref FieldReader body)
    {
        string? resource = null, owner = null;
        long? token = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) is { } name)
        {
            switch (name)
            {
                case "resource": resource = body.Text(name); break;
                case "owner": owner = body.Text(name); break;
                case "token": token = body.Integer(name); break;
            }
        }

        if (resource is null || owner is null || token is null) return null;
        return new ReleaseRequest { Resource = resource, Owner = owner, Token = token.Value };
    }
}
