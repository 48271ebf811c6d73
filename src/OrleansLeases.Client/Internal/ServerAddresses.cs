namespace OrleansLeases.Client.Internal;

/// <summary>Checks the addresses of a service: what is wrong, with the remedy.</summary>
internal static class ServerAddresses
{
    /// <summary>What is wrong with several; nothing where nothing is.</summary>
    /// <param name="list">What their list is called.</param>
    /// <param name="servers">The addresses.</param>
    public static IEnumerable<string> Faults(string list, IReadOnlyList<string?> servers)
    {
        if (servers.Count == 0) yield return $"{list} is empty; name the address of a server, such as http://127.0.0.1:7400.";
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < servers.Count; i++)
        {
            if (Fault($"{list}[{i}]", servers[i]) is { } fault) yield return fault;
            else if (!seen.Add(new Server(new(servers[i]!), Random.Shared).Root.AbsoluteUri))
            {
                yield return $"{list}[{i}] is '{servers[i]}', which is there before; name it once.";
            }
        }
    }

    /// <summary>What is wrong with one; null where nothing is.</summary>
    public static string? Fault(string name, string? server)
    {
        if (!Uri.TryCreate(server, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            return $"{name} is '{server}'; write an absolute http or https address such as http://127.0.0.1:7400.";
        if (address.UserInfo.Length > 0) return $"{name} names a user; leave that out, and put a credential into a header.";
        return address.Query.Length + address.Fragment.Length > 0 ? $"{name} is '{server}'; leave out what follows the path." : null;
    }
}
