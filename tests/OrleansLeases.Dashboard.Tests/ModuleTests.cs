using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Dashboard.Tests.Hosting;
using OrleansLeases.Gateway;

namespace OrleansLeases.Dashboard.Tests;

/// <summary>What the modules of the page have in common with the service, and with each other.</summary>
[Collection(nameof(Browser))]
public sealed partial class ModuleTests(Browser browser) : DashboardTest(browser)
{
    private static readonly string[] Names =
    [
        "a", "a/b", "a-b", "A", "z", "é", "日本", "\uE000", "\uFF5E", "\U0001F600", "\U0001F600a", "\U00010000", "a\U0001F600",
        "a\uFF5E",
    ];

    private static readonly (int From, int To)[] Characters =
    [
        (0x01, 0xFF), (0x34F, 0x34F), (0x5D0, 0x5D2), (0x600, 0x606), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180E, 0x180E),
        (0x2000, 0x2070), (0x3000, 0x3000), (0x3164, 0x3164), (0xD800, 0xD801), (0xFE0F, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
        (0xFFF9, 0xFFFD), (0x1D173, 0x1D17B), (0x1F600, 0x1F601), (0xE0001, 0xE0001), (0xE0020, 0xE0030),
    ];

    [Fact]
    public void Module_ThatIsImported_IsThereAndEachIsImported()
    {
        var assembly = typeof(LeaseGatewayExtensions).Assembly;
        var modules = assembly.GetManifestResourceNames().Where(name => name.StartsWith("dashboard/", StringComparison.Ordinal))
            .ToDictionary(name => name["dashboard/".Length..], name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return reader.ReadToEnd();
            });
        var named = modules.Values.SelectMany(text => Named().Matches(text)).Select(match => match.Groups[1].Value).ToHashSet();

        Assert.Equal(modules.Keys.Where(name => name != "index.html").Order(), named.Order());
        // What an import names, its module exports.
        foreach (var (name, text) in modules)
        {
            foreach (Match import in Imported().Matches(text))
            {
                foreach (var word in import.Groups[1].Value.Split(", "))
                {
                    var exported = modules[import.Groups[2].Value];
                    Assert.True(Regex.IsMatch(exported, $@"export (const|class|(async )?function) {word}\b"), $"{name} imports {word}.");
                    Assert.True(Regex.Count(text, $@"\b{word}\b") > 1, $"{name} imports {word} and does not use it.");
                }
            }
        }
    }

    [ChromiumFact]
    public async Task Order_OfNames_IsThatOfTheirBytes()
    {
        var page = await OpenAsync();
        var sorted = await page.EvaluateAsync<string[]>(
            "async names => names.sort((await import('/dashboard/order.js')).compare)", Names.Reverse());

        Assert.Equal(Names.OrderBy(name => Convert.ToHexString(Encoding.UTF8.GetBytes(name)), StringComparer.Ordinal), sorted);
    }

    [ChromiumFact]
    public async Task Character_IsShownAsOnATerminal()
    {
        var texts = Characters.SelectMany(range => Enumerable.Range(range.From, range.To - range.From + 1)).ToArray();
        var page = await OpenAsync();
        var shown = await page.EvaluateAsync<string[]>(
            """
            async codes => {
              const { plain } = await import('/dashboard/text.js');
              return codes.map(code => plain(String.fromCodePoint(code)));
            }
            """,
            texts);

        Assert.Equal(texts.Select(code => VisibleText.Show(code is >= 0xD800 and < 0xE000
            ? ((char)code).ToString(CultureInfo.InvariantCulture) : char.ConvertFromUtf32(code))), shown);
    }

    [GeneratedRegex("(?:from '\\./|(?:href|src)=\"dashboard/)([a-z-]+\\.(?:js|css|svg))")]
    private static partial Regex Named();

    [GeneratedRegex(@"import \{ ([^}]+) \} from '\./([a-z-]+\.js)'")]
    private static partial Regex Imported();
}
