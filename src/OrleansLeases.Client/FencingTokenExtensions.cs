using System.Globalization;
using System.Net.Http.Headers;

namespace OrleansLeases.Client;

/// <summary>Sends the fencing token of a lease to a service, which can refuse callers that lost their lease.</summary>
public static class FencingTokenExtensions
{
    private const string Header = "Fencing-Token";
    private const string TraceHeader = "Lease-Trace";

    /// <summary>Sets the header <c>Fencing-Token</c>, of one request or by default of a client, to the token of a lease; <c>Lease-Proof</c>
    /// to its proof, where it has one; and <c>Lease-Trace</c> to the trace of its acquire, where that was traced, to which the fence's
    /// span links.</summary>
    /// <param name="headers">The headers of the request, or the default ones of the client.</param>
    /// <param name="lease">The lease. It is not checked whether it is still held: the service does.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The lease is shared: its token is no fence.</exception>
    public static void SetFencingToken(this HttpRequestHeaders headers, LeaseHandle lease)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(lease);
        if (lease.Mode is not LeaseMode.Exclusive)
            throw new ArgumentException(
                $"The lease on '{lease.Resource}' is {lease.Mode}, and its token no fence; take it exclusively.", nameof(lease));
        headers.Remove(Header);
        headers.Add(Header, lease.Token.ToString(CultureInfo.InvariantCulture));
        headers.Remove(LeaseProof.Header);
        if (lease.Proof is { } proof) headers.Add(LeaseProof.Header, proof);
        headers.Remove(TraceHeader);
        if (lease.GrantTrace is { } trace) headers.Add(TraceHeader, trace);
    }
}
