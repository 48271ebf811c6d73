using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Xml.Linq;

namespace OrleansLeases.Testing.Packages;

/// <summary>A package as it would be published, and its symbols.</summary>
public sealed class Package
{
    private const string Readme = "README.md";
    private const string Framework = "net10.0";

    private readonly Dictionary<string, byte[]> _files;
    private readonly Dictionary<string, byte[]> _symbols;
    private readonly XElement _about;

    /// <summary>Reads a package.</summary>
    /// <param name="path">The file; its symbols lie beside it.</param>
    public Package(string path)
    {
        _files = Read(path);
        _symbols = Read(Path.ChangeExtension(path, ".snupkg"));
        _about =
            XDocument.Parse(Text(_files.Single(file => file.Key.EndsWith(".nuspec", StringComparison.Ordinal)).Value)).Root!.Elements()
                .Single();
    }

    /// <summary>Its id.</summary>
    public string Id => Of("id");

    /// <summary>Its version.</summary>
    public string Version => Of("version");

    /// <summary>The ids of the packages it needs.</summary>
    public IEnumerable<string> Dependencies =>
        _about.Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => element.Attribute("id")!.Value)
            .Order(StringComparer.Ordinal);

    /// <summary>The command, where it is a tool.</summary>
    public string? Command => _files.TryGetValue($"tools/{Framework}/any/DotnetToolSettings.xml", out var settings)
        ? XDocument.Parse(Text(settings)).Descendants("Command").Single().Attribute("Name")!.Value
        : null;

    /// <summary>What its users would miss, or should not see; each in a sentence.</summary>
    public IEnumerable<string> Faults()
    {
        if (Of("license") != "MIT") yield return $"{Id} does not name its license.";
        if (Of("description").Length == 0) yield return $"{Id} does not say what it is.";
        if (Of("readme") != Readme || !_files.ContainsKey(Readme)) yield return $"{Id} has no README.";
        if (_about.Elements().Any(
            element => element.Name.LocalName is "repository" or "projectUrl"
                && element.Attributes().Any(attribute => attribute.Value.StartsWith('/'))))
            yield return $"{Id} names a folder of the machine it was built on as its repository.";

        var documentation = $"lib/{Framework}/{Id}.xml";
        if (Command is null && !_files.ContainsKey($"lib/{Framework}/{Id}.dll")) yield return $"{Id} has no {Id}.dll.";
        if (Command is null && !(_files.TryGetValue(documentation, out var xml) && XDocument.Parse(Text(xml)).Descendants("member").Any()))
        {
            yield return $"{Id} has no documentation.";
        }

        var extra = _files.Keys.Where(
            name => !name.StartsWith(Command is null ? $"lib/{Framework}/{Id}." : "tools/", StringComparison.Ordinal) && !IsAbout(name));
        foreach (var name in extra) yield return $"{Id} should not have {name} in it.";

        var sources =
            _symbols.Where(file => file.Key.EndsWith(".pdb", StringComparison.Ordinal)).SelectMany(file => SourcesOf(file.Value)).ToList();
        if (sources.Count == 0) yield return $"The symbols of {Id} know no source.";
        foreach (var source in sources.Where(source => !source.StartsWith(Dotnet.SourceRoot, StringComparison.Ordinal)))
        {
            yield return $"The symbols of {Id} name {source}.";
        }

        foreach (var name in _files.Where(
            file => Dotnet.IsRelease && file.Value.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(Repository.Root)) >= 0)
                .Select(file => file.Key))
            yield return $"{name} of {Id} says where it was built.";
    }

    private static bool IsAbout(string name) =>
        name is Readme or "_rels/.rels" or "[Content_Types].xml" || name.EndsWith(".nuspec", StringComparison.Ordinal)
            || name.StartsWith("package/", StringComparison.Ordinal);

    private static IEnumerable<string> SourcesOf(byte[] symbols)
    {
        using var provider = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(symbols));
        var reader = provider.GetMetadataReader();
        return [.. reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name))];
    }

    private string Of(string element) => _about.Elements().FirstOrDefault(found => found.Name.LocalName == element)?.Value ?? "";

    private static string Text(byte[] utf8)
    {
        using var reader = new StreamReader(new MemoryStream(utf8));
        return reader.ReadToEnd();
    }

    private static Dictionary<string, byte[]> Read(string path)
    {
        using var archive = ZipFile.OpenRead(path);
        return archive.Entries.ToDictionary(entry => entry.FullName, entry =>
        {
            using var content = entry.Open();
            var bytes = new byte[entry.Length];
            content.ReadExactly(bytes);
            return bytes;
        });
    }
}
