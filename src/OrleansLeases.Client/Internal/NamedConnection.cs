using System.Data.Common;
using Microsoft.Extensions.Configuration;

namespace OrleansLeases.Client.Internal;

/// <summary>
/// A connection that the configuration has under a name, in the places where Aspire's clients have theirs: two sections, and a
/// connection string. Decision named-connections-in-the-client.
/// </summary>
internal sealed class NamedConnection(IConfiguration configuration, string name)
{
    private const string Section = "Aspire:OrleansLeases:Client";
    private const string Servers = nameof(LeaseHttpOptions.Servers);
    private const string Token = nameof(LeaseHttpOptions.Token);
    private const string TokenFile = nameof(LeaseHttpOptions.TokenFile);
    private const string Form = "write addresses such as http://a:7400,http://b:7400, or Servers=http://a:7400;TokenFile=/run/secrets/key";

    private string ConnectionString => $"ConnectionStrings:{name}";

    /// <summary>What is wrong where no server is named anywhere, with the remedy.</summary>
    public string IsMissing =>
        $"{ConnectionString} is not set, and nor is {Section}:{Servers}: reference the resource in the app host, by "
        + $"WithReference, or set it to the address of a server, such as ConnectionStrings__{name}=http://127.0.0.1:7400.";

    /// <summary>Sets what they say, and leaves the rest as it is.</summary>
    /// <exception cref="InvalidOperationException">A name is unknown, or a value has another type.</exception>
    public void Apply(LeaseHttpOptions options)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        var ofAll = configuration.GetSection(Section);
        Put(settings, ofAll.AsEnumerable(makePathsRelative: true).Where(setting => IsOfAll(setting.Key)));
        Put(settings, ofAll.GetSection(name).AsEnumerable(makePathsRelative: true));
        if (configuration[ConnectionString] is { Length: > 0 } text) Put(settings, Read(text));
        // Under their path, which a message of the binder then names.
        var path = $"{Section}:{name}";
        LeaseHttpSettings.Apply(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"{path}:{setting.Key}", setting.Value)))
                .Build()
                .GetSection(path),
            options);
    }

    // The sections of the connections lie within that of all.
    private static bool IsOfAll(string key) =>
        !key.Contains(':', StringComparison.Ordinal)
        || IsServer(key)
        || key.StartsWith($"{nameof(LeaseHttpOptions.Client)}:", StringComparison.OrdinalIgnoreCase);

    // The servers and the credential of a later place stand for those of an earlier one, and are not added to them.
    private static void Put(Dictionary<string, string?> settings, IEnumerable<KeyValuePair<string, string?>> later)
    {
        var present = later.Where(setting => setting.Value is not null).ToList();
        if (present.Exists(setting => IsServer(setting.Key))) Remove(settings, IsServer);
        if (present.Exists(setting => IsCredential(setting.Key))) Remove(settings, IsCredential);
        foreach (var (key, value) in present) settings[key] = value;
    }

    private static void Remove(Dictionary<string, string?> settings, Func<string, bool> which)
    {
        foreach (var key in settings.Keys.Where(which).ToList()) settings.Remove(key);
    }

    private static bool IsServer(string key) => key.StartsWith($"{Servers}:", StringComparison.OrdinalIgnoreCase);

    private static bool IsCredential(string key) =>
        key.Equals(Token, StringComparison.OrdinalIgnoreCase) || key.Equals(TokenFile, StringComparison.OrdinalIgnoreCase);

    // No message has any of the text: a credential may be in it, in the place of a name too.
    private List<KeyValuePair<string, string?>> Read(string text)
    {
        if (!text.Contains('=', StringComparison.Ordinal)) return [.. ServersOf(text)];
        var pairs = new DbConnectionStringBuilder();
        try
        {
            pairs.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            throw new InvalidOperationException($"{ConnectionString} cannot be read; {Form}.");
        }

        var settings = new List<KeyValuePair<string, string?>>();
        foreach (string key in pairs.Keys)
        {
            var value = (string)pairs[key];
            if (key.Equals(Servers, StringComparison.OrdinalIgnoreCase)) settings.AddRange(ServersOf(value));
            else if (IsCredential(key)) settings.Add(new(key, value));
            else throw new InvalidOperationException($"{ConnectionString} has a name besides {Servers}, {Token} and {TokenFile}; {Form}.");
        }

        return settings;
    }

    private static IEnumerable<KeyValuePair<string, string?>> ServersOf(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries).Select((server, i) => new KeyValuePair<string, string?>($"{Servers}:{i}", server));
}
