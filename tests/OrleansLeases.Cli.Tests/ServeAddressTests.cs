using System.Net;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>Where a server listens, and under which names it is called.</summary>
public sealed class ServeAddressTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7400")]
    [InlineData("https://127.0.0.1:0/")]
    [InlineData("HTTP://LOCALHOST:7400")]
    [InlineData("http://[::1]:7400; https://*:7401;")]
    [InlineData("http://+:65535")]
    [InlineData("http://0.0.0.0:80")]
    [InlineData("http://unix:/run/leases.sock")]
    public void Urls_WhenTheyAreAddresses_AreTaken(string urls) => Assert.Null(ListenUrls.ProblemOf("--urls", urls));

    [Theory]
    [InlineData("http://localhost:80x")]
    [InlineData("http://localhost")]
    [InlineData("http://localhost:")]
    [InlineData("http://localhost:70000")]
    [InlineData("http://localhost:-1")]
    [InlineData("http://localhost: 80")]
    [InlineData("http://local host:80")]
    [InlineData("http://leases.example.org:7400")]
    [InlineData("http://127.1:7400")]
    [InlineData("http://127.0.0.1.:7400")]
    [InlineData("http://::1:7400")]
    [InlineData("http://[::1:7400")]
    [InlineData("http://127.0.0.1:7400/leases")]
    [InlineData("http://user@127.0.0.1:7400")]
    [InlineData("http://:7400")]
    [InlineData("127.0.0.1:7400")]
    [InlineData("localhost:7400")]
    [InlineData("http//localhost:7400")]
    [InlineData("ftp://127.0.0.1:7400")]
    [InlineData("http://127.0.0.1:7400,http://127.0.0.1:7401")]
    [InlineData("http://127.0.0.1:7400;http://localhost:80x")]
    [InlineData("http://unix:run/leases.sock")]
    [InlineData("")]
    [InlineData(" ; ")]
    public void Urls_WhenOneIsNoAddress_AreRefusedByNameValueAndRemedy(string urls)
    {
        var problem = ListenUrls.ProblemOf("--urls", urls);
        Assert.NotNull(problem);
        Assert.StartsWith("--urls has '", problem, StringComparison.Ordinal);
        Assert.Contains(ListenUrls.Split(urls).LastOrDefault(urls), problem, StringComparison.Ordinal);
        Assert.Contains("such as http://127.0.0.1:7400", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_OnWhatIsNoAddress_ListensNowhereAndIs2()
    {
        var result = await Tool.RunAsync(null, "serve", "--memory", "--urls", "http://localhost:80x");
        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains("--urls has 'http://localhost:80x'; it takes", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_UnderAllowedNames_TakesThemAndNoOthers()
    {
        await using var server = await ServerProcess.StartAsync("--memory", "--allowed-hosts", "leases.example; *.inner.example");
        using var http = new HttpClient { BaseAddress = new(server.Address) };
        foreach (var (name, status) in new[]
        {
            ("leases.example", HttpStatusCode.OK), ("a.inner.example", HttpStatusCode.OK), ("localhost", HttpStatusCode.OK),
            ("evil.example", HttpStatusCode.Forbidden),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "v1/info") { Headers = { Host = name } };
            using var response = await http.SendAsync(request);
            Assert.Equal((name, status), (name, response.StatusCode));
        }
    }

    [Fact]
    public async Task Serve_UnderAWrongName_SaysWhichAndIs2()
    {
        var result =
            await Tool.RunAsync(null, "serve", "--memory", "--urls", "http://127.0.0.1:0", "--allowed-hosts", "leases.example:7400");
        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains("AllowedHosts has 'leases.example:7400'; it takes", result.Error, StringComparison.Ordinal);
    }
}
