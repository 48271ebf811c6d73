using System.Globalization;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// The bounds of a server, as its configuration names them: by the words that a refusal has as its <c>limit</c>. What is null is found
/// by the memory that the process may use, and by its limit of open files.
/// </summary>
internal sealed class ServerBounds
{
    /// <summary>How a command line takes them.</summary>
    public const string Form = "connections=N;openRequests=N;openWaits=N;openWatches=N;memory=PERCENT";

    public int? Connections { get; set; }

    public int? OpenRequests { get; set; }

    public int? OpenWaits { get; set; }

    public int? OpenWatches { get; set; }

    /// <summary>In percent of what the process may use.</summary>
    public int? Memory { get; set; }

    /// <summary>Reads bounds in the form <see cref="Form"/>, any of them, in any order.</summary>
    /// <exception cref="FormatException">It is none; the message says where.</exception>
    public static ServerBounds Parse(string text)
    {
        var bounds = new ServerBounds();
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (name, value) = part.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at
                ? (part[..at].Trim(), part[(at + 1)..].Trim()) : (part, "");
            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                throw new FormatException($"has '{part}'; it takes {Form}.");
            switch (name)
            {
                case "connections": bounds.Connections = number; break;
                case "openRequests": bounds.OpenRequests = number; break;
                case "openWaits": bounds.OpenWaits = number; break;
                case "openWatches": bounds.OpenWatches = number; break;
                case "memory": bounds.Memory = number; break;
                default: throw new FormatException($"has '{part}'; it takes {Form}.");
            }
        }

        bounds.Check();
        return bounds;
    }

    /// <exception cref="FormatException">One of them is out of its own bounds; the message says which.</exception>
    public void Check()
    {
        foreach (var (name, value) in new[]
            { ("connections", Connections), ("openRequests", OpenRequests), ("openWaits", OpenWaits), ("openWatches", OpenWatches) })
            if (value < 1) throw new FormatException($"has {name}={value}; it takes 1 or more.");
        if (Memory is < 1 or > 100) throw new FormatException($"has memory={Memory}; it takes 1 to 100 percent.");
    }

    /// <summary>Has the gateway keep to them.</summary>
    public void Apply(LeaseGatewayOptions gateway)
    {
        gateway.MaxOpenRequests = OpenRequests;
        gateway.MaxOpenWaits = OpenWaits;
        gateway.MaxOpenWatches = OpenWatches;
        gateway.MaxMemoryPercent = Memory ?? gateway.MaxMemoryPercent;
    }
}
