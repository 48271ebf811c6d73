using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Keys;

/// <summary>The body of a put.</summary>
internal static class PutKeyBody
{
    private static readonly FieldNames Names = new(required: ["value"], optional: ["lease", "ifVersion", "requestId"]);

    public static PutKeyRequest? Read(ref FieldReader body)
    {
        string? value = null, requestId = null;
        KeyLease? lease = null;
        long? ifVersion = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) is { } name)
        {
            switch (name)
            {
                case "value": value = body.Text(name); break;
                case "lease": lease = KeyLeaseBody.Read(ref body, name); break;
                case "ifVersion": ifVersion = body.Integer(name); break;
                case "requestId": requestId = body.Text(name); break;
            }
        }

        requestId = body.OrIdempotencyKey(requestId);
        return value is null ? null : new PutKeyRequest { Value = value, Lease = lease, IfVersion = ifVersion, RequestId = requestId };
    }
}

/// <summary>The body of an addition.</summary>
internal static class AddToCounterBody
{
    private static readonly FieldNames Names = new(required: ["delta"], optional: ["lease", "requestId"]);

    public static AddToCounterRequest? Read(ref FieldReader body)
    {
        string? requestId = null;
        KeyLease? lease = null;
        long? delta = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) is { } name)
        {
            switch (name)
            {
                case "delta": delta = body.Integer(name); break;
                case "lease": lease = KeyLeaseBody.Read(ref body, name); break;
                case "requestId": requestId = body.Text(name); break;
            }
        }

        requestId = body.OrIdempotencyKey(requestId);
        return delta is null ? null : new AddToCounterRequest { Delta = delta.Value, Lease = lease, RequestId = requestId };
    }
}

/// <summary>The lease that a body names.</summary>
internal static class KeyLeaseBody
{
    private static readonly FieldNames Names = new(required: ["resource", "owner", "token"], optional: []);

    public static KeyLease? Read(ref FieldReader body, string field)
    {
        if (!body.StartObject(field)) return null;
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

        body.EndObject();
        return resource is null || owner is null || token is null
            ? null
            : new KeyLease { Resource = resource, Owner = owner, Token = token.Value };
    }
}
