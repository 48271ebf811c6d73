using OrleansLeases.Client.Tests.Support;
using OrleansLeases.Testing;

namespace OrleansLeases.Client.Tests;

/// <summary>The addresses and time limits that the client refuses.</summary>
public sealed class ServerAddressTests
{
    private readonly ScriptedServers _servers = new();

    public static TheoryData<string[], string> BadServers => new()
    {
        { [], "servers is empty; name the address of a server, such as http://127.0.0.1:7400." },
        { ["http://a", "ftp://b"], "servers[1] is 'ftp://b'; write an absolute http or https address" },
        { ["http://a", "http://A:80/"], "servers[1] is 'http://A:80/', which is there before; name it once." },
        { ["http://a/?tenant=1"], "servers[0] is 'http://a/?tenant=1'; leave out what follows the path." },
        { ["http://ann:secret@a"], "servers[0] names a user" },
    };

    [Theory]
    [MemberData(nameof(BadServers))]
    public void Constructor_WithBadServers_SaysWhichAndWhatToWrite(string[] servers, string message)
    {
        using var http = new HttpClient(_servers);
        var refused = Assert.Throws<ArgumentException>(() => new HttpLeaseService(http, servers.Select(server => new Uri(server))));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(86_401)]
    public void Constructor_WithAServerTimeoutOutOfBounds_NamesIt(int seconds)
    {
        using var http = new HttpClient(_servers);
        var refused = Assert.Throws<ArgumentOutOfRangeException>(
            () => new HttpLeaseService(http, [new("http://a")]) { ServerTimeout = TimeSpan.FromSeconds(seconds) });
        Assert.Contains($"ServerTimeout is {TimeSpan.FromSeconds(seconds)}", refused.Message, StringComparison.Ordinal);
    }
}
