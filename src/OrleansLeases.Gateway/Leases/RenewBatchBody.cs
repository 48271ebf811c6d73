using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Leases;

/// <summary>The body of a batch of renews.</summary>
internal static class RenewBatchBody
{
    private static readonly FieldNames Names = new(required: ["leases"], optional: []);

    public static RenewBatchRequest? Read(ref FieldReader body)
    {
        List<RenewRequest>? leases = null;
        uint seen = 0;
        while (body.Next(Names, ref seen) is { } name)
        {
            if (!body.StartList(name)) continue;
            leases = [];
            while (body.NextItem())
                if (RenewBody.Read(ref body) is { } lease) leases.Add(lease);
        }

        return leases is null ? null : new RenewBatchRequest { Leases = leases };
    }
}
