using System.Security.Cryptography;

namespace OrleansLeases.Gateway.Dashboard;

/// <summary>A file of the dashboard, as it is in the assembly. Read when it is first asked for: a start reads none.</summary>
/// <param name="name">Its name, such as <c>main.js</c>.</param>
internal sealed class DashboardFile(string name)
{
    /// <summary>The page itself, which loads all others.</summary>
    public const string Page = "index.html";

    private const string Folder = "dashboard/";

    private readonly Lazy<byte[]> _bytes = new(() => Read(Folder + name));
    private string? _tag;

    /// <summary>All files, the page among them.</summary>
    public static IEnumerable<DashboardFile> All { get; } =
    [
        .. from resource in typeof(DashboardFile).Assembly.GetManifestResourceNames()
           where resource.StartsWith(Folder, StringComparison.Ordinal)
           select new DashboardFile(resource[Folder.Length..]),
    ];

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Its content.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.Value;

    /// <summary>What tells this content from that of another version: an entity tag, in quotes.</summary>
    public string Tag => _tag ??= $"\"{Convert.ToHexStringLower(SHA256.HashData(_bytes.Value).AsSpan(0, 16))}\"";

    /// <summary>Its media type.</summary>
    public string ContentType { get; } = Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new InvalidOperationException($"The dashboard has '{name}'; '{other}' has no media type here."),
    };

    private static byte[] Read(string resource)
    {
        using var stream = typeof(DashboardFile).Assembly.GetManifestResourceStream(resource)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
