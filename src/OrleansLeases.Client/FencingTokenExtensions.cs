using System.Globalization;
using System.Net.Http.Headers;

namespace OrleansLeases.Client;

/// <summary>Tells a service under which lease it is called, so that it can refuse who has lost theirs.</summary>
public static class FencingTokenExtensions
{
    private const string Header = "Fencing-Token";

    /// <summary>Sets the header <c>Fencing-Token</c> to the token of a lease, of one request or of all of a client's.</summary>
    /// <param name="headers">The headers of the request, or the default ones of the client.</param>
    /// <param name="lease">The lease. Whether it is still held is for the service to find out.</param>
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
    }
}
