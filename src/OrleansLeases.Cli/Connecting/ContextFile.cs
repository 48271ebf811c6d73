using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansLeases.Cli.Commands;

namespace OrleansLeases.Cli.Connecting;

/// <summary>
/// The servers that the user has given names: config.json in the folder leases of XDG_CONFIG_HOME (~/.config), or the file that
/// LEASES_CONFIG names.
/// </summary>
internal sealed record ContextFile
{
    public const string Variable = "LEASES_CONFIG";

    // Whoever writes it decides who gets the user's credentials.
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>The context of a command line that names neither a server nor a context.</summary>
    public string? Current { get; init; }

    public IReadOnlyDictionary<string, NamedServer> Contexts { get; init; } = new Dictionary<string, NamedServer>();

    /// <summary>Where it is, or would be.</summary>
    public static string Path => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } file
        ? System.IO.Path.GetFullPath(file)
        : System.IO.Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "leases",
            "config.json");

    /// <summary>Reads it; empty where there is none.</summary>
    /// <exception cref="UsageException">It cannot be read or understood, or others may write it.</exception>
    public static ContextFile Read()
    {
        var path = Path;
        if (!File.Exists(path)) return new ContextFile();
        try
        {
            return JsonSerializer.Deserialize(PrivateFile.Read(path, OthersWrite), ContextJson.Default.ContextFile)!;
        }
        catch (JsonException error)
        {
            throw new UsageException($"'{path}' is no file of contexts: {error.Message}");
        }
    }

    /// <summary>Puts it in the place of the one before, for its user alone.</summary>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public void Write() => PrivateFile.Write(Path, JsonSerializer.SerializeToUtf8Bytes(this, ContextJson.Default.ContextFile));

    /// <summary>The context of this name.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public NamedServer Find(string name)
    {
        if (Contexts.TryGetValue(name, out var found)) return found;
        throw new UsageException(
            Contexts.Count == 0
                ? $"There is no context '{name}': {Path} has none. Make one with `leases context set {name} --server URL`."
                : $"There is no context '{name}'; there is {string.Join(", ", Contexts.Keys.Order(StringComparer.Ordinal))}.");
    }
}

/// <summary>A server with a name, and how to call it.</summary>
internal sealed record NamedServer
{
    /// <summary>Its address, or several of one service, separated by commas.</summary>
    public required string Server { get; init; }

    /// <summary>The file that has the credential; relative to the file of contexts.</summary>
    public string? TokenFile { get; init; }

    /// <summary>The certificate of the authority to trust; relative to the file of contexts.</summary>
    [JsonPropertyName("cacert")]
    public string? Authority { get; init; }

    /// <summary>A path of the file of contexts, as one of this process.</summary>
    public static string? Resolve(string? path) => path is null ? null
        : path.StartsWith("~/", StringComparison.Ordinal)
            ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..])
            : Path.GetFullPath(path, Path.GetDirectoryName(ContextFile.Path)!);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true)]
[JsonSerializable(typeof(ContextFile))]
internal sealed partial class ContextJson : JsonSerializerContext;
